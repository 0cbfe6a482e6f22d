import { z } from 'zod';
import { rotateKey } from '../../src/auth/tokens/rotate-key.ts';
import { rotatedKeys } from '../../src/compose/auth.ts';
import { readConfig } from '../../src/config.ts';
import { createSigningKeyStore } from '../../src/adapters/postgres/tables/signing-keys.ts';
import { Refused } from '../program.ts';
import { withDatabase } from '../with-database.ts';
import { type Command, required } from './options.ts';

const Minutes = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a whole number of minutes')
  .transform(Number);

/** Makes a new version of a key that is kept in the database. */
export const rotateKeyCommand: Command = async ({ values, print }) => {
  const config = readConfig(process.env);
  const keys = rotatedKeys(config);
  const named = { key: 'access-tokens', ...values };
  const name = required(named, 'key', z.enum(Object.keys(keys) as (keyof typeof keys)[]));
  const { make, lifetimeSeconds, leadMinutes } = keys[name];
  const timed = { 'lead-minutes': String(leadMinutes), ...values };
  const minutes = values.now ? 0 : required(timed, 'lead-minutes', Minutes);
  if (name === 'access-tokens' && config.jwt.privateKey !== undefined)
    throw new Refused('the key of access tokens is in JWT_PRIVATE_KEY: docs/keys.md tells how to change it');
  const how = values.now ? 'now' : { leadSeconds: minutes * 60, lifetimeSeconds };
  await withDatabase({ name: 'admin' }, async ({ pool }) => {
    const version = await rotateKey(createSigningKeyStore(pool), { name, make }, how);
    print(
      { key: name, version, signsInMinutes: minutes },
      how === 'now'
        ? `${name}: version ${version} signs from now on, and no other one is accepted any more`
        : `${name}: version ${version} signs in ${minutes} min; the old one is accepted until what it signed has ended`,
    );
  });
};
