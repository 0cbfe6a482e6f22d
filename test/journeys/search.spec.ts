import { randomUUID } from 'node:crypto';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../support/stages/board.ts';

let app: TestApp;
let cast: Cast;
let board: Board;
beforeAll(async () => {
  app = await startApp();
  cast = await gatherCast(app);
  board = await setUpBoard(app, cast);
});
afterAll(() => app.stop());

type Shown = { data: { text: string; title: string }[] };

async function must(
  method: 'POST' | 'PATCH' | 'DELETE' | 'GET',
  path: string,
  as: Person,
  body?: object,
  position = '',
) {
  const headers: Record<string, string> = position === '' ? {} : { 'x-min-position': position };
  const answer = await app.ask(method, path, { as, body, headers });
  if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer.body as Record<string, string>;
}

const messages = () => `/v1/groups/${board.groupId}/messages`;
const say = (text: string) => must('POST', messages(), cast.owner, { clientMsgId: randomUUID(), text });
const post = (title: string, description = 'Work') =>
  must('POST', '/v1/jobs', cast.owner, { title, description });

const found = async (q: string, position: string) => {
  const path = `/v1/search/messages?q=${encodeURIComponent(q)}&groupId=${board.groupId}`;
  return ((await must('GET', path, cast.member, undefined, position)) as unknown as Shown).data.map(
    ({ text }) => text,
  );
};
const jobs = async (q: string, position: string) => {
  const path = `/v1/jobs?q=${encodeURIComponent(q)}`;
  return ((await must('GET', path, cast.stranger, undefined, position)) as unknown as Shown).data.map(
    ({ title }) => title,
  );
};

describe('search over REST', () => {
  test.each([
    ['“Kubernetes” is needed', 'kubernetes'],
    ['Docker—Podman…', 'podman'],
    ['with\u00a0Nomad\u00a0only', 'nomad'],
    ['Terraform🎉', 'terraform'],
    ['here is portfolio.pdf', 'portfolio'],
    ['read https://boards.acme.example/jobs/17', 'boards.acme.example'],
    ['write to john.smith@work.example', 'smith'],
    ['我家在上海东边', '上海'],
    ['東京都の会社', '京都の会社'],
    ['งานที่กรุงเทพฯ', 'กรุงเทพ'],
    ['Büro in München', 'mu\u0308nchen'],
    ['Bu\u0308ro in Ko\u0308ln', 'köln'],
  ])('finds the message %s by %s', async (text, q) => {
    const { position } = await say(text);
    expect(await found(q, position!)).toEqual([text]);
  });

  test('ranks matches with other accents after exact ones', async () => {
    await say('Résumé attached');
    await say('my resume');
    const { position } = await say('see the résumé');
    expect(await found('resume', position!)).toEqual(['my resume', 'see the résumé', 'Résumé attached']);
    expect(await found('RÉSUMÉ', position!)).toEqual(['see the résumé', 'Résumé attached', 'my resume']);
  });

  test('finds a message by its current words only', async () => {
    const { messageId } = await say('meet in Graz');
    const edited = await must('PATCH', `${messages()}/${messageId}`, cast.owner, { text: 'meet in Linz' });
    expect(await found('graz', edited['position']!)).toEqual([]);
    expect(await found('linz', edited['position']!)).toEqual(['meet in Linz']);
    const gone = await must('DELETE', `${messages()}/${messageId}`, cast.owner);
    expect(await found('linz', gone['position']!)).toEqual([]);
  });

  test('finds jobs by the terms that people type', async () => {
    for (const title of [
      'UI/UX Designer',
      'Cashier',
      'C++ Developer',
      'JavaScript Developer',
      'Java Developer',
    ])
      await post(title);
    await post('Full-Stack Engineer');
    const { position } = await post('.NET Engineer', 'and Node.js');
    const expected = {
      ux: ['UI/UX Designer'],
      'C++': ['C++ Developer'],
      c: [],
      ca: ['Cashier'],
      'Developer -java': ['JavaScript Developer', 'C++ Developer'],
      'full-sta': ['Full-Stack Engineer'],
      fullst: ['Full-Stack Engineer'],
      '.net': ['.NET Engineer'],
      'node.js': ['.NET Engineer'],
      '"engineer and"': ['.NET Engineer'],
      '"': [],
    };
    for (const [q, titles] of Object.entries(expected))
      expect([q, ...(await jobs(q, position!))]).toEqual([q, ...titles]);
  });

  test.each(['&', '"" -', "\\'\\", '(((', ':*', 'or', '-', '!', '<->', '\u0301', '👍', ' '])(
    'finds nothing, without an error, for a query without known words: %s',
    async (q) => {
      expect(await found(q, board.position)).toEqual([]);
      expect(await jobs(q, board.position)).toEqual([]);
    },
  );
});
