import type { Page } from 'playwright-core';
import { quantile } from './bench.ts';

/** The frames that a page drew. */
export interface Frames {
  perSecond: number;
  /** Between two frames. */
  p95Ms: number;
  /** Frames that were due and not drawn. */
  dropped: number;
  /** Frames that were drawn with the place of the scroll, and with what the script had drawn for an earlier one. */
  partial: number;
}

interface TraceEvent {
  name: string;
  ts: number;
  args: { hasPartialUpdate?: boolean };
}

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline.frame'];

/** Traces the frames of a page while something happens, as the performance panel of Chromium does. */
export async function framesWhile(page: Page, work: () => Promise<void>): Promise<Frames> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.start', { traceConfig: { includedCategories: CATEGORIES } });
  await work();
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  const drawn = events
    .filter(({ name }) => name === 'DrawFrame')
    .map(({ ts }) => ts / 1_000)
    .toSorted((a, b) => a - b);
  const between = drawn.slice(1).map((at, index) => at - drawn[index]!);
  const missed = events.filter(({ name }) => name === 'DroppedFrame');
  return {
    perSecond: (between.length * 1_000) / (drawn.at(-1)! - drawn[0]!),
    p95Ms: quantile(between, 0.95),
    dropped: missed.filter(({ args }) => !args.hasPartialUpdate).length,
    partial: missed.filter(({ args }) => args.hasPartialUpdate).length,
  };
}
