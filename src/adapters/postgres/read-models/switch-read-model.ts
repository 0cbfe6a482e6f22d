import type pg from 'pg';
import { type LoadReadModel, type Loaded, loadReadModel } from './load-read-model.ts';
import { nextOf, previousOf, schemaExists } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';

/** The live read model waits from here to the end of the transaction; then it finds that its checkpoint has moved. */
const hold = (owner: pg.Client, name: string) =>
  owner.query('select from public.checkpoints where name = $1 for update', [name]);

/** `from`, its rows and its checkpoint, is called `to` from now on. */
async function rename(owner: pg.Client, from: string, to: string): Promise<void> {
  await owner.query(`alter schema ${from} rename to ${to}`);
  await owner.query('update public.checkpoints set name = $2 where name = $1', [from, to]);
}

/** Handles what the log has got meanwhile and puts the rebuilt read model in the place of the live one, at once. */
export const switchToNext = (owner: pg.Client, load: LoadReadModel): Promise<Loaded> =>
  inTransaction(owner, async () => {
    const { name } = load.projection;
    await hold(owner, name);
    const loaded = await loadReadModel(load);
    await owner.query(`drop schema if exists ${previousOf(name)} cascade`);
    await owner.query('delete from public.checkpoints where name = $1', [previousOf(name)]);
    await rename(owner, name, previousOf(name));
    await rename(owner, nextOf(name), name);
    return loaded;
  });

/**
 * Puts the read model that was live before back in its place; it then catches up with the log by itself. Doing it
 * twice changes nothing. Answers false when none was kept.
 */
export const switchToPrevious = (owner: pg.Client, name: string): Promise<boolean> =>
  inTransaction(owner, async () => {
    if (!(await schemaExists(owner, previousOf(name)))) return false;
    const aside = `${name}_aside`;
    await hold(owner, name);
    await rename(owner, name, aside);
    await rename(owner, previousOf(name), name);
    await rename(owner, aside, previousOf(name));
    return true;
  });
