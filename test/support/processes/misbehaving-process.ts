import { writeSync } from 'node:fs';

/** A program for the sandbox whose behaviour depends on the type of its first file. */
const behaviours: Record<string, () => void> = {
  'test/crash': () => process.abort(),
  'test/work': () => {
    for (;;);
  },
  'test/wait': () => undefined,
  'test/allocate': () => {
    for (const all: Buffer[] = []; ;) all.push(Buffer.alloc(16 * 2 ** 20, 1));
  },
  'test/talk': () => {
    for (const chatter = Buffer.alloc(65_536, 'a'); ;) writeSync(1, chatter);
  },
  'test/nonsense': () => writeSync(1, '{"result":{"sha256":1}}\n'),
  // None of the files it writes may remain.
  'test/environment': () =>
    writeSync(
      1,
      `${JSON.stringify({ result: { sha256: JSON.stringify(process.env), contentType: null, reasons: [] }, cpuSeconds: 0 })}\n`,
    ),
};

writeSync(1, '{"ready":true}\n');
let input = '';
process.stdin.setEncoding('latin1').on('data', (text) => {
  input += String(text);
  for (const [type, behave] of Object.entries(behaviours))
    if (input.includes(type)) {
      input = '';
      behave();
    }
});
