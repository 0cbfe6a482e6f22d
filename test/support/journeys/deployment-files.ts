import { execFileSync } from 'node:child_process';
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
  user?: string;
  entrypoint?: string[];
  read_only?: boolean;
  tmpfs?: string[];
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  pids_limit?: number;
  mem_limit?: string;
  cpus?: number;
  secrets?: (string | { source: string; target: string })[];
  profiles?: string[];
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string; required?: boolean }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  ports?: string[];
  networks?: string[] | Record<string, { ipv4_address?: string; aliases?: string[] }>;
  deploy?: { replicas?: number };
  stop_grace_period?: string;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
  secrets: Record<string, { file: string }>;
}

/** Returns docker-compose.yml as Docker Compose reads it with these variables. */
export const composeFile = (variables: Record<string, string>): ComposeFile =>
  parse(interpolated(fileText('docker-compose.yml'), variables), { merge: true }) as ComposeFile;

/** Returns .env.example as it is copied; with the log in PostgreSQL if `log` says so. */
export function filledIn({ log = 'eventstoredb' }: { log?: 'eventstoredb' | 'postgres' } = {}) {
  const example = parseEnv(fileText('.env.example')) as Record<string, string>;
  return { ...example, ...(log === 'postgres' && { COMPOSE_PROFILES: '', EVENTSTOREDB_URL: '' }) };
}

/** Makes the files of secrets in a folder, as an operator does, with variables of an earlier .env. */
export function makeSecrets(folder: string, earlier: Record<string, string> = {}): void {
  const { PATH = '' } = process.env;
  execFileSync('sh', ['deploy/make-secrets.sh', folder], { cwd: ROOT, env: { PATH, ...earlier } });
}

/** Returns the environment of a service as its process sees it, with the files of secrets of a folder. */
export function environmentOf({ environment = {} }: ComposeService, folder: string): Record<string, string> {
  // What is interpolated to nothing or to a number is parsed as such here, and is text for Compose.
  const here = ([name, value]: [string, string | number | null]) => [
    name,
    String(value ?? '').replace(/^\/run\/secrets/, folder),
  ];
  return Object.fromEntries(Object.entries(environment).map(here)) as Record<string, string>;
}

/** Returns the names of the networks of a service. */
export const networksOf = ({ networks = [] }: ComposeService): string[] =>
  Array.isArray(networks) ? networks : Object.keys(networks);

/** Returns the names of the secrets of a service. */
export const secretsOf = ({ secrets = [] }: ComposeService): string[] =>
  secrets.map((it) => (typeof it === 'string' ? it : it.source));

/**
 * Substitutes variables like Docker Compose, as far as our files need it: `${X}`, `${X:-otherwise}`,
 * `${X:+instead}`, `${X:?message}` and `$$`. Throws for a missing required variable
 * (https://docs.docker.com/reference/compose-file/interpolation).
 */
export function interpolated(text: string, variables: Record<string, string>): string {
  return text.replaceAll(VARIABLE, (_found, name: string | undefined, sign?: string, rest?: string) => {
    if (name === undefined) return '$';
    const value = variables[name];
    if (sign === ':+') return value ? (rest ?? '') : '';
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

const VARIABLE = /\$(?:\$|\{(\w+)(?:(:[-+?])([^}]*))?\})/g;
