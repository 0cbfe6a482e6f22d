import { type Words, en } from './words/en.ts';

/** The words of the language in which the pages speak. */
export const words: Words = en;
