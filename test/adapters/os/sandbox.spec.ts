import { join } from 'node:path';
import { BudgetExceeded } from '../../../src/files/inspect/sandbox.ts';
import { createProcessSandbox } from '../../../src/adapters/os/sandbox.ts';

const MISBEHAVING = join(import.meta.dirname, '../../support/processes/misbehaving-process.ts');
const signal = () => AbortSignal.timeout(60_000);

type Sandbox = ReturnType<typeof createProcessSandbox>;
const open: Sandbox[] = [];
afterEach(() => {
  for (const sandbox of open.splice(0)) sandbox.close();
});

function sandboxWith(options: Parameters<typeof createProcessSandbox>[0] = {}): Sandbox {
  const sandbox = createProcessSandbox(options);
  open.push(sandbox);
  return sandbox;
}

const judge = (sandbox: Sandbox, contentType: string, bytes = Buffer.from('text')) =>
  sandbox.run({ task: 'judge', contentType }, signal(), async (work) => {
    await work.write(bytes);
    return work.result();
  });

describe('the sandbox', () => {
  test('processes file after file', async () => {
    const sandbox = sandboxWith({ processes: 1 });
    const clean = { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), contentType: 'text/plain', reasons: [] };
    expect(await judge(sandbox, 'text/plain')).toEqual(clean);
    expect(await judge(sandbox, 'image/png')).toMatchObject({
      reasons: ['type-does-not-match', 'type-does-not-match'],
    });
    expect(await judge(sandbox, 'text/plain', Buffer.alloc(0))).toEqual(clean);
  });

  test.each([
    ['crashes', 'test/crash', {}, /ended with SIGABRT/],
    ['passes its processor time', 'test/work', { cpuSeconds: 1 }, /ended with SIG(KILL|XCPU)/],
    ['exceeds its memory', 'test/allocate', { memoryMib: 64 }, /ended with/],
    ['writes endlessly', 'test/talk', {}, /wrote too much/],
    ['writes nonsense', 'test/nonsense', {}, /wrote nonsense/],
    ['does nothing', 'test/wait', { stallMs: 300 }, /did nothing for 300 ms/],
  ])('kills a process that %s, and blames the file', async (_, contentType, limits, why) => {
    const sandbox = sandboxWith({ program: MISBEHAVING, limits, processes: 1 });
    const failure = await judge(sandbox, contentType).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BudgetExceeded);
    expect((failure as Error).message).toMatch(why);
    // The slot is free again.
    await expect(judge(sandbox, contentType)).rejects.toThrow(why);
  });

  test('passes no environment variables to its processes', async () => {
    const { sha256 } = await judge(sandboxWith({ program: MISBEHAVING }), 'test/environment');
    const known = Object.keys(JSON.parse(sha256) as object);
    expect(known.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name))).toEqual([]);
  });

  test('does not blame the file when no process starts', async () => {
    const sandbox = sandboxWith({ program: '/nowhere.ts' });
    await expect(judge(sandbox, 'text/plain')).rejects.toMatchObject({ name: 'SandboxUnavailable' });
  });

  test('processes at most as many files at once as it has slots, and drops waiting files whose caller gives up', async () => {
    const sandbox = sandboxWith({ processes: 2 });
    let [inHand, most] = [0, 0];
    const { promise: all, resolve: go } = Promise.withResolvers<void>();
    const one = () =>
      sandbox.run({ task: 'judge', contentType: 'text/plain' }, signal(), async (work) => {
        most = Math.max(most, (inHand += 1));
        if (inHand === 2) go();
        await all;
        const result = await work.result();
        inHand -= 1;
        return result;
      });
    const impatient = new AbortController();
    const works = [one(), one(), one(), one()];
    const left = sandbox.run({ task: 'thumbnail' }, impatient.signal, async () => 'never');
    impatient.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await Promise.all(works);
    expect(most).toBe(2);
  });

  test('stops work that is aborted', async () => {
    const sandbox = sandboxWith({ program: MISBEHAVING, processes: 1 });
    const stop = new AbortController();
    const hanging = sandbox.run({ task: 'judge', contentType: 'test/wait' }, stop.signal, async (work) => {
      await work.write(Buffer.from('text'));
      stop.abort();
      return work.result();
    });
    await expect(hanging).rejects.toThrow(/no longer needed/);
  });

  test('kills the process when its caller fails in the middle of a file', async () => {
    const sandbox = sandboxWith({ processes: 1 });
    const broken = sandbox.run({ task: 'judge', contentType: 'text/plain' }, signal(), async (work) => {
      await work.write(Buffer.from('half a'));
      throw new Error('broken off');
    });
    await expect(broken).rejects.toThrow('broken off');
    expect(await judge(sandbox, 'text/plain')).toMatchObject({ reasons: [] });
  });
});
