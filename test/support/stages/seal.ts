import type pg from 'pg';
import { pino } from 'pino';
import { openTextSeal } from '../../../src/compose/text-seal.ts';

const log = pino({ level: 'silent' });

/** Opens the seal of personal text as a server on this database does that is given no master key. */
export const sealIn = (pool: pg.Pool) =>
  openTextSeal({ masterKeys: [], databaseUrl: 'postgres:', dataDir: '' }, log, pool);
