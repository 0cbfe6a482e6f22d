import { readPage } from '../../../web/audit/lines.ts';

const line = (position: number, text = 'x') =>
  `${JSON.stringify({ position: String(position), data: text })}\n`;

/** An answer that comes in pieces, and may break off. */
function answer(
  pieces: readonly Uint8Array<ArrayBuffer>[],
  breaks = false,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece) controller.enqueue(piece);
      else if (breaks) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
}
const bytes = (text: string) => new TextEncoder().encode(text);
const read = async (stream: ReturnType<typeof answer>) => {
  const told: number[] = [];
  const page = await readPage(stream, (events) => told.push(events.length));
  return { told, next: page.next, texts: page.events.map(({ data }) => data) };
};

describe('A page of the log', () => {
  test('is read line by line, wherever the pieces end', async () => {
    const whole = bytes(`${line(1, 'שלום 👋')}${line(2)}{"next":"2"}\n`);
    for (const size of [1, 3, 7, whole.length]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
        whole.slice(at * size, (at + 1) * size),
      );
      expect(await read(answer(pieces))).toEqual({ told: [1, 2], next: '2', texts: ['שלום 👋', 'x'] });
    }
  });

  test('is empty at the end of the log', async () => {
    expect(await read(answer([bytes('{"next":null}\n')]))).toEqual({ told: [], next: null, texts: [] });
  });

  test.each([
    ['ends without its last line', false],
    ['breaks off', true],
  ])('goes on after the last event when the answer %s', async (_how, breaks) => {
    const page = await read(answer([bytes(line(4)), bytes(line(5).slice(0, 9))], breaks));
    expect(page).toMatchObject({ next: '4', texts: ['x'] });
  });

  test('is no answer when nothing came', async () => {
    await expect(read(answer([]))).rejects.toMatchObject({ code: 'NO_ANSWER', retryable: true });
    await expect(read(answer([bytes('{"pos')], true))).rejects.toThrow('network error');
  });
});
