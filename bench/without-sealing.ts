import { registerHooks } from 'node:module';
import { unsealed } from '../src/events/personal-text.ts';

/**
 * Preloaded into a server (`--import`) to compare it with itself: the composition root gets a seal that leaves text as it
 * is, and no sealer. A server has no such setting.
 */
registerHooks({
  resolve(specifier, context, next) {
    const isReplaced = [
      ['/compose/text-seal.ts', '/privacy/text-seal.ts'],
      ['/compose.ts', '/compose/sealing.ts'],
    ].some(([parent, part]) => context.parentURL?.endsWith(`/src${parent}`) && specifier.endsWith(part!));
    return isReplaced ? { url: import.meta.url, shortCircuit: true } : next(specifier, context);
  },
});

export const createTextSeal = () => unsealed;
export const startSealing = async () => ({});
