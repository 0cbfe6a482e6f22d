import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT, composeFile, fileText, filledIn } from '../support/journeys/deployment-files.ts';

interface Step {
  run?: string;
  uses?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  'timeout-minutes': number;
  services?: Record<string, { image: string; env: Record<string, string>; ports: string[] }>;
  steps: Step[];
}

const { permissions, jobs } = parse(fileText('.github/workflows/ci.yml')) as {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
};
const { services } = composeFile(filledIn());

test('The log suites run on the server of docker-compose.yml', () => {
  const { services: parts, steps } = jobs['eventstoredb']!;
  const { image, env, ports } = parts!['eventstore']!;
  const { image: same, environment } = services['eventstore']!;
  expect({ image, env }).toEqual({ image: same, env: environment });
  const suites = steps.find((step) => step.env?.['EVENTSTOREDB_TEST_URL'])!;
  const { port, hostname, protocol } = new URL(suites.env!['EVENTSTOREDB_TEST_URL']!);
  expect([protocol, hostname]).toEqual(['esdb:', '127.0.0.1']);
  expect(ports).toContain(`${port}:2113`);
  const spec = /npm test -- (\S+)$/.exec(suites.run!)?.[1] ?? '';
  expect([spec, existsSync(join(ROOT, spec))]).toEqual([spec, true]);
  expect(fileText(spec)).toContain('EVENTSTOREDB_TEST_URL');
});

test('The image is tested with existing services', () => {
  const up = jobs['image']!.steps.find(({ run }) => run?.startsWith('docker compose up'))!;
  const named = up.run!.split(/ --wait-timeout \d+ /)[1]!.split(' ');
  for (const name of named) expect(services).toHaveProperty(name);
});

test('Jobs have read-only permissions, keep no token and have a timeout', () => {
  expect(permissions).toEqual({ contents: 'read' });
  for (const [name, job] of Object.entries(jobs)) {
    expect([name, job['timeout-minutes'] <= 30]).toEqual([name, true]);
    for (const { uses, with: inputs } of job.steps) {
      if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
      if (uses?.startsWith('actions/checkout'))
        expect(inputs).toMatchObject({ 'persist-credentials': false });
    }
  }
});
