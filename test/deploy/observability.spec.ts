import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { dashboard } from '../../tools/dashboard.ts';
import { program } from '../../tools/debian-programs.ts';
import { until } from '../../tools/until.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';

const FOLDER = join(import.meta.dirname, '../../deploy/observability');
const textOf = (file: string) => readFileSync(join(FOLDER, file), 'utf8');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook_url: string };
}
const { groups } = parse(textOf('rules.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Resolves with the output; rejects with it when promtool finds a fault. */
async function promtool(args: string[], input = ''): Promise<string> {
  const { command, env } = program('promtool');
  const running = promisify(execFile)(command, args, { cwd: FOLDER, env: { ...process.env, ...env } });
  running.child.stdin?.end(input);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

describe('the alert rules', () => {
  test('are valid, as is the configuration that loads them', async () => {
    expect(await promtool(['check', 'config', 'prometheus.yml'])).toContain('SUCCESS');
  });

  test('fire where they should, and only there', async () => {
    expect(await promtool(['test', 'rules', 'rules.test.yml'])).toContain('SUCCESS');
  });

  test('are each tested where they fire and where they do not', () => {
    interface Case {
      alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
    }
    const { tests } = parse(textOf('rules.test.yml')) as { tests: Case[] };
    const cases = tests.flatMap(({ alert_rule_test: cases }) => cases);
    const tested = (fires: boolean) =>
      cases
        .filter(({ exp_alerts: expected }) => expected.length > 0 === fires)
        .map(({ alertname }) => alertname);
    const names = rules.map(({ alert }) => alert).toSorted();
    expect(tested(true).toSorted()).toEqual(names);
    expect(tested(false).toSorted()).toEqual(names);
  });

  test('each have a severity, and a runbook with meaning, first look and remedy', () => {
    const page = readFileSync(join(FOLDER, '../../docs/alerts.md'), 'utf8');
    const sections = new Map(
      page
        .split(/^### /m)
        .slice(1)
        .map((section) => [section.split('\n', 1)[0]!, section]),
    );
    expect([...sections.keys()].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning']).toContain(labels.severity);
      expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
      for (const part of ['Meaning', 'First look', 'Remedy'])
        expect(sections.get(alert)).toContain(`- **${part}**: `);
    }
  });
});

describe('the dashboard', () => {
  test('is what the program makes', () => {
    expect(JSON.parse(textOf('dashboard.json'))).toEqual(JSON.parse(JSON.stringify(dashboard())));
  });
});

/** Returns the metrics that an expression of PromQL names. Histograms have several series each. */
const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:chat|process|nodejs)_[a-z0-9_]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|count|sum)$/, ''),
  );

describe('the metrics of a running server', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  }, 60_000);
  afterAll(() => app.stop());

  const exposed = async () => (await app.ask('GET', '/metrics')).text;

  test('satisfy promtool', async () => {
    expect(await promtool(['check', 'metrics'], await exposed())).toBe('');
  });

  test('are all that rules, dashboard and documentation name', async () => {
    const panels = JSON.stringify(dashboard().panels);
    const named = [...rules.map(({ expr }) => expr), panels].flatMap(namesIn);
    const kinds = new Map(
      [...(await exposed()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => [name!, kind!]),
    );
    expect(new Set(named).difference(new Set(kinds.keys()))).toEqual(new Set());
    const operations = readFileSync(join(FOLDER, '../../docs/operations.md'), 'utf8');
    const documented = [...operations.matchAll(/^\| `(chat_\w+)/gm)].map(([, name]) => name!);
    const own = [...kinds.keys()].filter((name) => name.startsWith('chat_'));
    expect(documented.toSorted()).toEqual(own.toSorted());
    // A gauge that nothing sets has a type and no value.
    const gauges = own.filter((name) => kinds.get(name) === 'gauge');
    const missing = async () => {
      const text = await exposed();
      return gauges.filter((name) => !new RegExp(`^${name}[ {]`, 'm').test(text));
    };
    await until(async () => (await missing()).length === 0, 'every gauge has a value').catch(async () =>
      expect(await missing()).toEqual([]),
    );
  }, 60_000);
});
