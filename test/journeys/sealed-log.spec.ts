import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { until } from '../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type LogServer, logKinds } from '../support/stages/log-servers.ts';

const run = promisify(execFile);
const NODE = ['--disable-warning=ExperimentalWarning'];

interface Checkpoint {
  size: number;
  root: string;
  previous: string | null;
  position: string;
  at: string;
  keyId: string;
  signature: string;
}
interface Proof {
  position: string;
  index: number;
  size: number;
  leaf: string;
  hashes: string[];
  event: Record<string, unknown>;
}

let log: LogServer;
let app: TestApp;
let dir: string;
let auditor: Person;
let company: Person;
let positions: string[];

const audit = (...args: string[]) =>
  run(process.execPath, [...NODE, 'scripts/audit.ts', ...args], {
    env: { PATH: process.env['PATH'], ...app.settings },
  });
const ask = (path: string, as: Person = auditor) => app.ask('GET', path, { as });
const json = async <T>(path: string): Promise<T> => {
  const answer = await ask(path);
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  return answer.body as T;
};
const checkpoints = () => json<{ data: Checkpoint[]; nextCursor: string | null }>('/v1/audit/checkpoints');

async function postJobs(count: number): Promise<string> {
  let posted: Answer | undefined;
  for (let n = 0; n < count; n += 1) {
    const body = { title: `Job ${n}`, description: 'Hold on' };
    posted = await app.ask('POST', '/v1/jobs', { as: company, body });
  }
  return posted!.body['position'] as string;
}

/** Resolves with the positions of the events in their order. */
async function positionsOfEvents(): Promise<string[]> {
  const lines = (await ask('/v1/audit/events')).text.trimEnd().split('\n');
  return lines.slice(0, -1).map((line) => (JSON.parse(line) as { position: string }).position);
}

describe.each(logKinds)('with the log in $name', ({ open, isOwn }) => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'chat-outsider-'));
    log = await open();
    app = await startApp(log.env);
    auditor = await app.hireAuditor();
    company = await app.register('company');
    await postJobs(3);
    await until(async () => (await checkpoints()).data.length > 0, 'the first checkpoint');
    await postJobs(150);
    await audit('seal');
    positions = await positionsOfEvents();
  }, 90_000);
  afterAll(async () => {
    await app.stop();
    await log.close();
    await rm(dir, { recursive: true });
  });

  /** Runs the verifier of docs/ on files; resolves with its last words. */
  async function outsider(...answers: unknown[]): Promise<string> {
    const paths = await Promise.all(
      answers.map(async (answer, n) => {
        const path = join(dir, `answer-${n}.json`);
        await writeFile(path, JSON.stringify(answer));
        return path;
      }),
    );
    return run(process.execPath, ['docs/audit-verifier.mjs', ...paths]).then(
      ({ stdout }) => stdout.trim(),
      ({ stderr, code }: { stderr: string; code: number }) => `${code}: ${/Error: (.*)/.exec(stderr)?.[1]}`,
    );
  }

  describe('an outsider with the verifier of the documentation, on answers of a real server', () => {
    let keys: { keys: Record<string, string>[] };
    let page: { data: Checkpoint[] };
    let proof: Proof;
    let consistency: { from: number; to: number; hashes: string[] };
    beforeAll(async () => {
      keys = (await app.ask('GET', '/.well-known/seal-keys.json')).body as typeof keys;
      page = await checkpoints();
      const [first, last] = [page.data[0]!, page.data.at(-1)!];
      proof = await json(`/v1/audit/proof?position=${positions[99]}&size=${last.size}`);
      consistency = await json(`/v1/audit/consistency?from=${first.size}&to=${last.size}`);
    });

    test('finds that they hold', async () => {
      expect(await outsider(keys, page, proof, consistency)).toMatch(/^\d+ checkpoints and 2 proofs hold$/);
    });

    test('finds every manipulation of them', async () => {
      const { data } = page;
      const [first, last] = [data[0]!, data.at(-1)!];
      const [hash = ''] = proof.hashes;
      const other = first.root;
      const manipulated: unknown[][] = [
        [{ keys: [{ ...keys.keys[0], x: other }] }, page],
        [{ keys: [] }, page],
        [keys, { data: [...data.slice(0, -1), { ...last, size: last.size + 1 }] }],
        [keys, { data: [...data.slice(0, -1), { ...last, root: other }] }],
        [keys, { data: [...data.slice(0, -1), { ...last, at: first.at }] }],
        [keys, { data: data.toReversed() }],
        [keys, { data: [...data, last] }],
        [keys, page, { ...proof, index: proof.index - 1 }],
        [keys, page, { ...proof, size: first.size }],
        [keys, page, { ...proof, leaf: other }],
        [keys, page, { ...proof, hashes: proof.hashes.slice(1) }],
        [keys, page, { ...proof, hashes: [...proof.hashes, hash] }],
        [keys, page, { ...proof, hashes: proof.hashes.with(-1, hash) }],
        ...Object.keys(proof.event).map((name) => [
          ...[keys, page],
          { ...proof, event: { ...proof.event, [name]: 'another' } },
        ]),
        [keys, page, { ...consistency, hashes: consistency.hashes.slice(1) }],
        [keys, page, { ...consistency, hashes: consistency.hashes.with(0, other) }],
        [keys, page, { ...consistency, hashes: [...consistency.hashes, other] }],
        [keys, page, { ...consistency, from: consistency.from - 1 }],
        [keys, page, { ...consistency, from: last.size, to: first.size }],
      ];
      for (const answers of manipulated) expect(await outsider(...answers)).toMatch(/^1: DOES NOT HOLD: /);
    }, 60_000);
  });

  describe('the routes of proofs', () => {
    test('are for auditors only', async () => {
      for (const path of [
        '/v1/audit/checkpoints',
        '/v1/audit/proof?position=1',
        '/v1/audit/consistency?from=1&to=2',
      ]) {
        const refused = await ask(path, company);
        expect(refused).toMatchObject({ status: 403, body: { code: 'ROLE_NOT_ALLOWED' } });
        expect(await app.ask('GET', path)).toMatchObject({ status: 401 });
      }
    });

    test('page the checkpoints by size', async () => {
      const { data, nextCursor } = await checkpoints();
      expect(nextCursor).toBeNull();
      const page = await json<{ data: Checkpoint[]; nextCursor: string }>('/v1/audit/checkpoints?limit=1');
      expect(page).toEqual({ data: data.slice(0, 1), nextCursor: String(data[0]!.size) });
      const next = await json<{ data: Checkpoint[] }>(`/v1/audit/checkpoints?after=${page.nextCursor}`);
      expect(next.data).toEqual(data.slice(1));
    });

    test('prove each event, also in an older checkpoint, and show nothing of its contents', async () => {
      const { data } = await checkpoints();
      const { size } = data[0]!;
      for (const index of [0, size - 1]) {
        const position = positions[index]!;
        const proof = await json<Proof>(`/v1/audit/proof?position=${position}&size=${size}`);
        expect(proof).toMatchObject({ position, index, size });
        expect(Object.keys(proof.event)).not.toContain('data');
      }
      const last = await json<Proof>(`/v1/audit/proof?position=${positions[256]}`);
      expect(last.size).toBe(data.at(-1)!.size);
      const same = await json(`/v1/audit/consistency?from=${size}&to=${size}`);
      expect(same).toEqual({ from: size, to: size, hashes: [] });
    });

    test('say why there is no proof', async () => {
      const { data } = await checkpoints();
      const [first, last] = [data[0]!, data.at(-1)!];
      const refusals: [string, number, string][] = [
        [`proof?position=${positions[first.size]}&size=${first.size}`, 409, 'NOT_SEALED'],
        [`proof?position=${Number(last.position) + 100_000}`, 409, 'NOT_SEALED'],
        [`proof?position=${positions[0]}&size=${last.size - 1}`, 404, 'CHECKPOINT_NOT_FOUND'],
        [`proof?position=${positions[0]}&size=${last.size + 100_000}`, 404, 'CHECKPOINT_NOT_FOUND'],
        [`consistency?from=${first.size}&to=${last.size - 1}`, 404, 'CHECKPOINT_NOT_FOUND'],
        [`consistency?from=${last.size}&to=${first.size}`, 400, 'BAD_REQUEST'],
        ['proof?position=0', 400, 'BAD_REQUEST'],
        ['proof', 400, 'BAD_REQUEST'],
        ['checkpoints?limit=0', 400, 'BAD_REQUEST'],
        ['checkpoints?after=-1', 400, 'BAD_REQUEST'],
      ];
      for (const [path, status, code] of refusals)
        expect({ path, ...(await ask(`/v1/audit/${path}`)) }).toMatchObject({ path, status, body: { code } });
    });
  });

  describe('npm run audit', () => {
    test('verifies from the start, and from what was verified last', async () => {
      const since = join(dir, 'verified.json');
      expect((await audit('verify', '--since', since)).stdout).toMatch(
        /^[\d,]+ events and \d+ checkpoints hold\n/,
      );
      expect((await audit('verify', '--since', since)).stdout).toMatch(
        /^[\d,]+ events and 0 checkpoints hold\n/,
      );
      const keys = join(dir, 'keys.json');
      await writeFile(keys, (await app.ask('GET', '/.well-known/seal-keys.json')).text);
      expect((await audit('verify', '--keys', keys)).stdout).toMatch(/ hold\n/);
      await expect(audit('verify', '--keys', since)).rejects.toMatchObject({
        code: 1,
        stderr: `${since} cannot be used: it has another form\n`,
      });
    }, 60_000);

    test('prints the checkpoints and the proof that the API answers with', async () => {
      const { data } = await checkpoints();
      const printed = (await audit('checkpoints')).stdout.trim().split('\n');
      expect(printed.map((line) => JSON.parse(line) as Checkpoint).slice(0, data.length)).toEqual(data);
      const proof = JSON.parse((await audit('prove', positions[6]!)).stdout) as Proof;
      expect(proof).toEqual(await json(`/v1/audit/proof?position=${positions[6]}&size=${proof.size}`));
      await expect(audit('prove', '7x')).rejects.toMatchObject({ code: 2, stderr: '7x is not a position\n' });
      await expect(audit('prove')).rejects.toMatchObject({ code: 2, stderr: 'nothing is not a position\n' });
    }, 60_000);
  });

  if (isOwn)
    describe('a change by the owner of the server', () => {
      test('is found by the verification, the proof, and the sealer', async () => {
        const position = Number((await postJobs(1)).split('.')[1]);
        await audit('seal');
        await log.forge!(app.settings.DATABASE_URL, position, '{"title": "Forged"}');

        const refused = await ask(`/v1/audit/proof?position=${position}`);
        expect(refused).toMatchObject({ status: 409, body: { code: 'SEAL_BROKEN', retryable: false } });
        await expect(audit('verify')).rejects.toMatchObject({
          code: 1,
          stdout: `DOES NOT HOLD at position ${position}: the event is not the one that was sealed\n`,
        });
        await postJobs(1);
        await expect(audit('seal')).rejects.toMatchObject({
          code: 1,
          stderr: 'a sealed event has changed\n',
        });
        const seal = async () => {
          const { status, body } = await app.ask('GET', '/health/ready');
          expect(status).toBe(200);
          return (body['dependencies'] as Record<string, unknown>)['seal'];
        };
        await until(async () => !isDeepStrictEqual(await seal(), { status: 'ok' }), 'the sealer to stop');
        expect(await seal()).toEqual({ status: 'degraded' });
        expect(app.lines()).toContainEqual(
          expect.objectContaining({ level: 60, reason: 'a sealed event has changed', position }),
        );
        expect((await app.ask('GET', '/metrics')).text).toMatch(/^chat_seal_broken 1$/m);
      }, 60_000);
    });
});
