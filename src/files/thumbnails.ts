import { BudgetExceeded, type Sandbox } from './inspect/sandbox.ts';
import type { MakeThumbnail } from './apply-finding.ts';

/** Size limit of images, which are held in memory while they are reduced. */
const MAX_BYTES = 67_108_864;
const WAITING_MS = 60_000;

/**
 * Creates thumbnails in the sandbox. A broken picture, or one that takes too much time or memory, has none.
 * Rejects when the picture cannot be read, and with `SandboxUnavailable`.
 */
export const createThumbnails =
  (sandbox: Sandbox): MakeThumbnail =>
  async (open) => {
    try {
      return await sandbox.run({ task: 'thumbnail' }, AbortSignal.timeout(WAITING_MS), async (work) => {
        const { size, body } = await open();
        if (size > MAX_BYTES) {
          body.destroy();
          return undefined;
        }
        for await (const chunk of body as AsyncIterable<Buffer>) await work.write(chunk);
        const { webp } = await work.result();
        return webp === null ? undefined : Buffer.from(webp, 'base64');
      });
    } catch (error) {
      if (error instanceof BudgetExceeded) return undefined;
      throw error;
    }
  };
