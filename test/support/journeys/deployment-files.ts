import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';

export const ROOT = join(import.meta.dirname, '../../..');

/** Reads a file of the project by its path from the root. */
export const fileText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export interface ComposeService {
  image: string;
  build?: string;
  profiles?: string[];
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string; required?: boolean }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  ports?: string[];
  networks?: Record<string, { ipv4_address?: string }>;
  deploy?: { replicas?: number };
  stop_grace_period?: string;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
}

/** Returns docker-compose.yml as Docker Compose reads it with these variables. */
export const composeFile = (variables: Record<string, string>): ComposeFile =>
  parse(interpolated(fileText('docker-compose.yml'), variables), { merge: true }) as ComposeFile;

const sealPrivateKey = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
  .replaceAll('\n', '\\n');

/** Returns a filled-in .env.example; with the log in PostgreSQL if `log` says so. */
export function filledIn({ log = 'eventstoredb' }: { log?: 'eventstoredb' | 'postgres' } = {}) {
  const example = parseEnv(fileText('.env.example')) as Record<string, string>;
  const secrets = Object.keys(example).filter((name) => name.endsWith('_PASSWORD'));
  return {
    ...example,
    ...Object.fromEntries(secrets.map((name) => [name, `secretOf${name.replaceAll('_', '')}`])),
    SEAL_PRIVATE_KEY: sealPrivateKey,
    ...(log === 'postgres' && { COMPOSE_PROFILES: '', EVENTSTOREDB_URL: '' }),
  };
}

/**
 * Substitutes variables like Docker Compose, as far as our files need it: `${X}`, `${X:-otherwise}`,
 * `${X:?message}` and `$$`. Throws for a missing required variable
 * (https://docs.docker.com/reference/compose-file/interpolation).
 */
export function interpolated(text: string, variables: Record<string, string>): string {
  return text.replaceAll(VARIABLE, (_found, name: string | undefined, sign?: string, rest?: string) => {
    if (name === undefined) return '$';
    const value = variables[name];
    if (value) return value;
    if (sign === ':?') throw new Error(`${name}: ${rest}`);
    return sign === ':-' ? (rest ?? '') : (value ?? '');
  });
}

/** Returns every variable in docker-compose.yml, and whether it is required. */
export const composeVariables = () =>
  [...fileText('docker-compose.yml').matchAll(VARIABLE)]
    .filter(([, name]) => name !== undefined)
    .map(([, name = '', sign]) => ({ name, isNeeded: sign === ':?' }));

const VARIABLE = /\$(?:\$|\{(\w+)(?:(:[-?])([^}]*))?\})/g;
