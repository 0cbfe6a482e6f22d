import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** README.md, "Adding a command", followed in a copy of the project. */

const ROOT = join(import.meta.dirname, '../..');
const COPIED = ['src', 'tools', 'test', 'package.json'];
/** The part of the project that a command belongs to; two compilations of all of it would take minutes. */
const INCLUDED = ['src', 'test/commands', 'test/events'];
const COMPILING_MS = 300_000;
/** The spec needs none of the services that the whole suite starts. */
const WITHOUT_SERVICES = { globalSetup: undefined, globalTeardown: undefined, testSequencer: undefined };

const COMMAND = `import { z } from 'zod';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { conversationStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom } from '../chat-group/room.ts';
import { defineCommand } from '../command.ts';
import { messageInput, requireMessage, requireOpen } from './message.ts';

const input = z.strictObject(messageInput);

export const pinMessage = defineCommand<z.infer<typeof input>, Room, ConversationEvent>({
  name: 'PinMessage',
  input,
  refuses: ['GROUP_NOT_FOUND', 'ROLE_NOT_ALLOWED', 'MESSAGE_NOT_FOUND', 'GROUP_CLOSED'],
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId }, actor) => ({ group: membershipIn(groupId, actor) }),
  readsThen: companyOfRoom,
  message: (pin) => pin,
  decide: (pin, known, { actor }) => {
    const { group } = requireMessage(known, actor, 'write');
    requireOpen(group);
    return [{ type: 'MessagePinned', data: pin }];
  },
});
`;

const SPEC = `import { pinMessage } from '../../../src/commands/message/pin-message.ts';
import { ada, eve, event, group, groupClosed, groupId, hello, messageId } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const pin = { groupId, messageId };

test('a member pins a message', () =>
  given(...group).as(ada).knowing({ message: hello }).when(pinMessage, pin).then([event('MessagePinned', pin)]));
test('rejects a pin from outside the group', () =>
  given(...group).as(eve).knowing({ message: hello }).when(pinMessage, pin).thenRejects('GROUP_NOT_FOUND'));
test('rejects a pin in a closed group', () =>
  given(...group, groupClosed).as(ada).knowing({ message: hello }).when(pinMessage, pin).thenRejects('GROUP_CLOSED'));
test('a repetition is a duplicate', () =>
  given(...group).as(ada).knowing({ message: hello }).when(pinMessage, pin).thenIdempotent());
`;

const ROUTE = `  app.put(
    '/v1/groups/:groupId/messages/:messageId/pin',
    {
      config: { refusals: [...pinMessage.refuses] },
      schema: {
        tags,
        operationId: 'pinMessage',
        summary: 'Pin a message',
        params: message,
        response: { 200: Changed },
      },
    },
    async (request) =>
      answerChange(request.params, await handle(pinMessage, request.params, commandRequest(request))),
  );
`;

/** Text that goes before the first occurrence of `before` in a file. */
type Insertion = [path: string, before: string, text: string];

const WRITTEN: Insertion[] = [
  ['src/events/conversation.ts', '  ReactionAdded:', '  MessagePinned: z.strictObject(subject),\n'],
  [
    'src/http/routes/messages.ts',
    'import { sendMessage',
    `import { pinMessage } from '../../commands/message/pin-message.ts';\n`,
  ],
  ['src/http/routes/messages.ts', '  const reacting =', ROUTE],
];

const NAMED_BY_THE_COMPILER: Insertion[] = [
  [
    'src/projections/conversations.ts',
    '      } else {\n        changes.push(event);',
    `      } else if (event.type === 'MessagePinned') {
        heads.set(groupId, event);
`,
  ],
  ['src/realtime/delivery/delivery.ts', '  ChatGroupCreated: undefined', '  MessagePinned: undefined,\n'],
  ['src/realtime/delivery/delivery.ts', `    case 'ReactionAdded':`, `    case 'MessagePinned':\n`],
  ['src/notifications/kinds/kinds.ts', '  ReactionAdded: undefined', '  MessagePinned: undefined,\n'],
  [
    'test/events/stored-events.spec.ts',
    '  ReactionAdded: event(',
    `  MessagePinned: event('MessagePinned', { groupId, messageId }),\n`,
  ],
];

const pathsOf = (insertions: readonly Insertion[]) => [...new Set(insertions.map(([path]) => path))];

describe('README.md, "Adding a command"', () => {
  let copy: string;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'chat-command-'));
    for (const name of COPIED) await cp(join(ROOT, name), join(copy, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    const tsconfig = JSON.parse(await readFile(join(ROOT, 'tsconfig.json'), 'utf8')) as object;
    await writeFile(join(copy, 'tsconfig.json'), JSON.stringify({ ...tsconfig, include: INCLUDED }));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  async function insert([path, before, text]: Insertion): Promise<void> {
    const file = await readFile(join(copy, path), 'utf8');
    expect(file).toContain(before);
    await writeFile(
      join(copy, path),
      file.replace(before, () => text + before),
    );
  }

  /** Runs a program of the project in the copy. Resolves with its exit code and output. */
  const run = (program: string, ...args: string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const command = [join(copy, 'node_modules', program), ...args];
      const options = { cwd: copy, env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' } };
      execFile(process.execPath, command, options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
    });
  const compile = () => run('typescript/bin/tsc', '--noEmit', '--pretty', 'false');

  test('names every file that the steps change', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const [, section = ''] = readme.split('### Adding a command');
    const named = section.split('\n## ')[0]!.matchAll(/^(?:\d\.|-) `([^`]+)`/gm);
    expect([...named].map(([, path]) => path).toSorted()).toEqual(
      [
        ...pathsOf([...WRITTEN, ...NAMED_BY_THE_COMPILER]),
        'src/commands/message/pin-message.ts',
        'test/commands/message/pin-message.spec.ts',
      ].toSorted(),
    );
  });

  test(
    'leaves it to the compiler to find the code that must handle a new event',
    async () => {
      await writeFile(join(copy, 'src/commands/message/pin-message.ts'), COMMAND);
      await writeFile(join(copy, 'test/commands/message/pin-message.spec.ts'), SPEC);
      for (const insertion of WRITTEN) await insert(insertion);
      const { output } = await compile();
      const named = new Set([...output.matchAll(/^(\S+\.ts)\(/gm)].map(([, path]) => path));
      // Files that only follow from one of these may be named as well.
      expect([...named]).toEqual(expect.arrayContaining(pathsOf(NAMED_BY_THE_COMPILER)));
    },
    COMPILING_MS,
  );

  test(
    'makes a command that compiles and passes its spec',
    async () => {
      for (const insertion of NAMED_BY_THE_COMPILER) await insert(insertion);
      expect(await compile()).toEqual({ code: 0, output: '' });
      const { default: jestConfig } = (await import(join(ROOT, 'jest.config.js'))) as { default: object };
      const config = { ...jestConfig, ...WITHOUT_SERVICES, rootDir: copy };
      const spec = 'test/commands/message/pin-message.spec.ts';
      const { code, output } = await run('jest/bin/jest.js', '--config', JSON.stringify(config), spec);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('4 passed') });
    },
    COMPILING_MS,
  );
});
