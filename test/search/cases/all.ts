import { asked, typing } from './asked.ts';
import type { Block } from './case.ts';
import { english } from './english.ts';
import { latin } from './latin.ts';
import { unspaced } from './unspaced.ts';
import { world } from './world.ts';

export type Expected = 'found' | 'accents' | 'missed';
export interface Case {
  of: string;
  text: string;
  asked: string;
  /** Whether the last word may be a prefix. */
  isTyping: boolean;
  expected: Expected;
}

const casesOf = (blocks: Block[], isTyping: boolean): Case[] =>
  blocks.flatMap(({ of, texts }) =>
    texts.flatMap(({ text, ...expectations }) =>
      (['found', 'accents', 'missed'] as const).flatMap((expected) =>
        (expectations[expected] ?? []).map((query) => ({ of, text, asked: query, isTyping, expected })),
      ),
    ),
  );

const ofLanguages = [...latin, ...world, ...unspaced];
export const cases = [...casesOf([...english, ...asked, ...ofLanguages], false), ...casesOf(typing, true)];
/** The number of languages, English included. */
export const languages = 1 + new Set(ofLanguages.map(({ of }) => of)).size;
