import { Session } from 'node:inspector';

interface Coverage {
  result: { url: string; functions: { ranges: { count: number }[] }[] }[];
}

/** Methods whose work is proportional to the length of an argument, with that length. */
const native: Record<string, (bytes: Buffer, args: unknown[], answer: unknown) => number> = {
  indexOf: ({ length }, [, from = 0], at) => (Number(at) < 0 ? length : Number(at)) - Number(from) + 1,
  lastIndexOf: ({ length }, _, at) => length - Number(at),
  toString: ({ length }: Buffer, args: unknown[]) => Number(args[2] ?? length) - Number(args[1] ?? 0),
};

/**
 * Counts the work of the modules whose path contains `path` and that are loaded after this call: each block
 * of code that V8 enters, and each byte that a method of Buffer processes. The same work has the same count
 * on every machine.
 */
export function createWorkMeter(path: string) {
  const session = new Session();
  session.connect();
  const post = (method: string, options?: object): unknown => {
    let answer: unknown;
    session.post(method, options, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

  let bytes = 0;
  const originals = Object.keys(native).map((name) => [name, Reflect.get(Buffer.prototype, name)] as const);
  const { concat } = Buffer;
  for (const [name, original] of originals)
    Reflect.set(Buffer.prototype, name, function (this: Buffer, ...args: unknown[]) {
      const answer: unknown = Reflect.apply(original as () => unknown, this, args);
      bytes += native[name]!(this, args, answer);
      return answer;
    });
  Buffer.concat = (list, ...length) => {
    const all = concat(list, ...length);
    bytes += all.length;
    return all;
  };

  function blocks(): number {
    const { result } = post('Profiler.takePreciseCoverage') as Coverage;
    return result
      .filter(({ url }) => url.includes(path))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
      .reduce((sum, { count }) => sum + count, 0);
  }

  return {
    async workOf(task: () => Promise<unknown>): Promise<number> {
      blocks();
      bytes = 0;
      await task();
      return blocks() + bytes;
    },
    stop() {
      for (const [name, original] of originals) Reflect.set(Buffer.prototype, name, original);
      Buffer.concat = concat;
      session.disconnect();
    },
  };
}
