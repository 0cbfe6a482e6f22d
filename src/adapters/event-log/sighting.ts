import { z } from 'zod';
import type { Sighting } from '../../events/sightings.ts';

const Kept = z.object({ epoch: z.string(), beganAt: z.number(), position: z.number() });

/** Parses a kept sighting; undefined for anything else, such as what a crash or another version left. */
export function parseSighting(text: string): Sighting | undefined {
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
