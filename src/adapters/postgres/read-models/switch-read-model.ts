import type pg from 'pg';
import { type LoadReadModel, type Loaded, loadReadModel } from './load-read-model.ts';
import { nextOf, previousOf, schemaExists } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';

/**
 * Locks the checkpoint. The live read model waits until the end of the transaction, and then finds that its
 * checkpoint has moved.
 */
const hold = (owner: pg.Client, name: string) =>
  owner.query('select from public.checkpoints where name = $1 for update', [name]);

/** Renames the read model `from`, its rows and its checkpoint, to `to`. */
async function rename(owner: pg.Client, from: string, to: string): Promise<void> {
  await owner.query(`alter schema ${from} rename to ${to}`);
  await owner.query('update public.checkpoints set name = $2 where name = $1', [from, to]);
}

/**
 * Handles the latest events and replaces the live read model by the rebuilt one, at once. `recorded` is part of the same
 * transaction.
 */
export const switchToNext = (
  owner: pg.Client,
  load: LoadReadModel,
  recorded: (loaded: Loaded) => Promise<unknown> = async () => {},
): Promise<Loaded> =>
  inTransaction(owner, async () => {
    const { name } = load.projection;
    await hold(owner, name);
    const loaded = await loadReadModel(load);
    await owner.query(`drop schema if exists ${previousOf(name)} cascade`);
    await owner.query('delete from public.checkpoints where name = $1', [previousOf(name)]);
    await rename(owner, name, previousOf(name));
    await rename(owner, nextOf(name), name);
    await recorded(loaded);
    return loaded;
  });

/**
 * Restores the read model that was live before; it then catches up with the log by itself. Doing it twice
 * changes nothing. Resolves with false when none was kept. `recorded` is part of the same transaction.
 */
export const switchToPrevious = (
  owner: pg.Client,
  name: string,
  recorded: () => Promise<unknown> = async () => {},
): Promise<boolean> =>
  inTransaction(owner, async () => {
    if (!(await schemaExists(owner, previousOf(name)))) return false;
    const aside = `${name}_aside`;
    await hold(owner, name);
    await rename(owner, name, aside);
    await rename(owner, previousOf(name), name);
    await rename(owner, aside, previousOf(name));
    await recorded();
    return true;
  });
