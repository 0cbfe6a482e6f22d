import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { type IJob, Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { kubernetesProgram } from '../../tools/kubernetes-programs.ts';
import { ROOT, fileText } from '../support/journeys/deployment-files.ts';

const CHART = 'deploy/helm';
const MODELS = {
  ConfigMap,
  Deployment,
  HTTPRoute,
  HorizontalPodAutoscaler,
  Ingress,
  Job,
  NetworkPolicy,
  PodDisruptionBudget,
  PrometheusRule,
  Secret,
  Service,
  ServiceAccount,
  ServiceMonitor,
};
type Kind = keyof typeof MODELS;
interface Manifest {
  apiVersion: string;
  kind: Kind;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
}

const helm = await kubernetesProgram('helm');
const kubectl = await kubernetesProgram('kubectl');
let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'chat-helm-'))));
afterAll(() => rm(folder, { recursive: true }));

let count = 0;
/** Runs Helm with values, on the chart or a copy of it. Rejects with what Helm says. */
async function run(command: string, values: object, chart = join(ROOT, CHART)): Promise<string> {
  const file = join(folder, `values-${(count += 1)}.json`);
  await writeFile(file, JSON.stringify(values));
  const args = command === 'lint' ? ['lint', chart] : [command, 'chat', chart, '--namespace', 'jobs'];
  const { stdout } = await promisify(execFile)(helm, [...args, '--values', file]);
  return stdout;
}
const render = async (values: object, chart?: string): Promise<Manifest[]> =>
  parseAllDocuments(await run('template', values, chart)).flatMap((document) => {
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
const of = <T = Manifest>(manifests: Manifest[], kind: Kind) =>
  manifests.filter((it) => it.kind === kind) as unknown as (T & Manifest)[];

const settings = {
  PUBLIC_URL: 'https://chat.example.org',
  S3_BUCKET: 'chat-files',
  SEAL_URL: 's3://chat-seals/log',
  ERASED_PEOPLE_URL: 's3://chat-erased/people',
};
const nodeSecrets = {
  DATABASE_URL: 'postgres://chat_node:secret@postgres:5432/chat?sslmode=require',
  REDIS_URL: 'rediss://:secret@redis:6379',
};
const sealKey = { SEAL_PRIVATE_KEY: 'a key' };
const minimal = {
  settings,
  secrets: {
    nodes: { values: nodeSecrets },
    owner: { values: { DATABASE_OWNER_URL: 'postgres://chat:secret@postgres:5432/chat?sslmode=require' } },
    sealer: { values: sealKey },
  },
};
const existing = {
  settings,
  secrets: {
    nodes: { existingSecret: 'vault-nodes' },
    owner: { existingSecret: 'vault-owner' },
    sealer: { existingSecret: 'vault-seal' },
  },
};
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const everything = {
  ...existing,
  settings: {
    ...settings,
    TRUSTED_PROXIES: '10.1.2.0/24, fd00:1::/64',
    REQUESTS_PER_MINUTE: 10_000_000,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: 0.05,
  },
  image: { repository: 'registry.example.org/chat', digest: DIGEST, pullSecrets: [{ name: 'registry' }] },
  authorities: {
    postgresql: { secret: 'chat-db-ca' },
    redis: { configMap: 'authorities', key: 'redis.pem' },
    rabbitmq: { configMap: 'authorities', key: 'rabbitmq.pem' },
    eventstoredb: { secret: 'eventstore-ca', key: 'ca.pem' },
    others: { configMap: 'authorities', key: 'others.pem' },
  },
  pods: {
    annotations: { 'example.org/team': 'chat' },
    nodeSelector: { pool: 'chat' },
    tolerations: [{ key: 'chat', operator: 'Exists' }],
    priorityClassName: 'high',
  },
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/chat' } },
  httpRoute: {
    enabled: true,
    parentRefs: [{ name: 'public', namespace: 'gateways' }],
    hostnames: ['chat.example.org'],
  },
  ingress: { enabled: true, className: 'nginx', host: 'chat.example.org', tlsSecret: 'chat-tls' },
  networkPolicy: {
    clientNamespaces: ['gateways'],
    to: [{ ipBlock: { cidr: '10.20.0.0/16' } }],
  },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
};
const nothingOptional = {
  ...minimal,
  migrations: { enabled: false },
  roles: { api: { autoscaling: { enabled: false } } },
  podDisruptionBudgets: { enabled: false },
  networkPolicy: { enabled: false },
};
const SETS = { minimal, existing, everything, nothingOptional };
const NAMES = Object.keys(SETS) as (keyof typeof SETS)[];

type Deployed = IDeployment & Manifest;
const podOf = (it: IDeployment | IJob) => it.spec!.template.spec!;
const containerOf = (it: IDeployment | IJob) => podOf(it).containers[0]!;
const roleOf = (it: IDeployment) => containerOf(it).env!.find(({ name }) => name === 'ROLES')?.value ?? '';

test.each(NAMES)(
  'Helm finds no fault with the values "%s", and Kubernetes none with the manifests',
  async (name) => {
    expect(await run('lint', SETS[name])).toContain('0 chart(s) failed');
    const manifests = await render(SETS[name]);
    for (const manifest of manifests) {
      const Model = MODELS[manifest.kind];
      expect([manifest.kind, Model !== undefined]).toEqual([manifest.kind, true]);
      expect(() => new Model(manifest as never).validate()).not.toThrow();
      expect(manifest.apiVersion).toBe(new Model().apiVersion);
    }
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  },
);

test('The optional parts are there when they are asked for, and only then', async () => {
  const kinds = async (values: object) => new Set((await render(values)).map(({ kind }) => kind));
  const least = ['ConfigMap', 'Deployment', 'Secret', 'Service', 'ServiceAccount'];
  expect([...(await kinds(nothingOptional))].toSorted()).toEqual(least);
  const usual = [...least, 'HorizontalPodAutoscaler', 'Job', 'NetworkPolicy', 'PodDisruptionBudget'];
  expect([...(await kinds(minimal))].toSorted()).toEqual(usual.toSorted());
  const most = [...usual, 'HTTPRoute', 'Ingress', 'ServiceMonitor'].filter((kind) => kind !== 'Secret');
  expect([...(await kinds(everything))].toSorted()).toEqual(most.toSorted());
});

describe('the chart and deploy/kubernetes', () => {
  let plain: Deployed[];
  let charted: Deployed[];
  beforeAll(async () => {
    const copy = join(folder, 'kubernetes');
    await cp(join(ROOT, 'deploy/kubernetes'), copy, { recursive: true });
    for (const name of ['secret', 'owner', 'seal'])
      await cp(join(copy, `${name}.env.example`), join(copy, `${name}.env`));
    const { stdout } = await promisify(execFile)(kubectl, ['kustomize', copy]);
    const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
    plain = of<IDeployment>(manifests, 'Deployment').toSorted((a, b) => roleOf(a).localeCompare(roleOf(b)));
    charted = of<IDeployment>(await render(minimal), 'Deployment').toSorted((a, b) =>
      roleOf(a).localeCompare(roleOf(b)),
    );
  });

  test('run the same roles, with the same probes, rights, resources and stops', () => {
    const told = (it: Deployed) => {
      const {
        securityContext,
        terminationGracePeriodSeconds,
        automountServiceAccountToken,
        enableServiceLinks,
      } = podOf(it);
      const { ports, startupProbe, livenessProbe, readinessProbe, lifecycle, resources, ...rest } =
        containerOf(it);
      const env = rest.env!.filter(({ value }) => value !== undefined);
      const byName = new Map(env.map(({ name, value }) => [name, value]));
      return {
        role: roleOf(it),
        replicas: it.spec!.replicas,
        strategy: it.spec!.strategy,
        env: Object.fromEntries([...byName].toSorted(([a], [b]) => a.localeCompare(b))),
        pod: {
          securityContext,
          terminationGracePeriodSeconds,
          automountServiceAccountToken,
          enableServiceLinks,
        },
        container: {
          ...{ ports, startupProbe, livenessProbe, readinessProbe, lifecycle, resources },
          securityContext: rest.securityContext,
        },
      };
    };
    expect(plain).toHaveLength(6);
    expect(charted.map(told)).toEqual(plain.map(told));
  });

  test('know the same settings, and no secret among them', () => {
    const values = parse(fileText(`${CHART}/values.yaml`)) as { settings: Record<string, string> };
    const named = [...fileText('deploy/kubernetes/settings.env').matchAll(/^([A-Z]\w+)=/gm)].map(
      ([, it]) => it!,
    );
    // The chart sets the files of authorities itself, and CAs of Node are no setting of the server.
    const ofAuthorities = (name: string) => name.endsWith('_CA_FILE') || name === 'NODE_EXTRA_CA_CERTS';
    expect(Object.keys(values.settings).toSorted()).toEqual(
      named.filter((name) => !ofAuthorities(name)).toSorted(),
    );
    const secrets = [...fileText('deploy/kubernetes/secret.env.example').matchAll(/^([A-Z]\w+)=/gm)];
    const schema = JSON.parse(fileText(`${CHART}/values.schema.json`)) as {
      properties: {
        secrets: { properties: { nodes: { properties: { values: { propertyNames: unknown } } } } };
      };
    };
    expect(schema.properties.secrets.properties.nodes.properties.values.propertyNames).toEqual({
      enum: expect.arrayContaining(secrets.map(([, name]) => name)),
    });
  });

  test('open the same paths', async () => {
    const manifests = await render(everything);
    const opened = parse(fileText('deploy/kubernetes/ingress.yaml')) as Ingress;
    const pathsOf = (it: Ingress) =>
      it.spec!.rules![0]!.http!.paths.map(({ path, pathType }) => `${path} ${pathType}`).toSorted();
    const [ingress] = of<Ingress>(manifests, 'Ingress');
    expect(pathsOf(ingress!)).toEqual(pathsOf(opened));
    const [route] = of<HTTPRoute>(manifests, 'HTTPRoute');
    const routed = route!.spec.rules!.flatMap(({ matches }) =>
      matches!.map(({ path }) => `${path!.value} ${path!.type!.replace('Path', '')}`),
    );
    expect(routed.toSorted()).toEqual(pathsOf(opened));
    const [service] = of<Service>(manifests, 'Service');
    for (const { backendRefs } of route!.spec.rules!)
      expect(backendRefs).toEqual([{ name: service!.metadata.name, port: service!.spec!.ports![0]!.port }]);
  });
});

test.each(NAMES)('A pod of each role accepts the settings of the values "%s"', async (name) => {
  const manifests = await render(SETS[name]);
  const [config] = of<ConfigMap>(manifests, 'ConfigMap');
  const secrets = new Map(
    of<Secret>(manifests, 'Secret').map((it) => [it.metadata.name, it.stringData ?? {}]),
  );
  for (const deployment of of<IDeployment>(manifests, 'Deployment')) {
    const { env = [], envFrom = [] } = containerOf(deployment);
    const [settingsFrom, secretFrom] = envFrom;
    expect(settingsFrom).toEqual({ configMapRef: { name: config!.metadata.name } });
    const secretName = secretFrom!.secretRef!.name!;
    const given = secrets.get(secretName) ?? (secretName.startsWith('vault-') ? nodeSecrets : undefined);
    expect(given).toBeDefined();
    const direct = env.filter(({ value }) => value !== undefined && !value.startsWith('/authorities/'));
    const here = Object.fromEntries(direct.map(({ name: setting, value }) => [setting, value!]));
    const read = readConfig({ ...config!.data, ...given, ...here });
    expect([...read.roles]).toEqual([roleOf(deployment)]);
    expect(read).toMatchObject({ host: '0.0.0.0', publicUrl: settings.PUBLIC_URL });
    if (name === 'everything') {
      expect(read.requestsPerMinute).toBe(10_000_000);
      expect(read.traces).toMatchObject({ url: 'http://collector:4318/v1/traces', ratio: 0.05 });
    } else expect(read.traces).toBeUndefined();
  }
});

describe('secrets', () => {
  test('are those of the operator, where they are named', async () => {
    const manifests = await render(existing);
    expect(of(manifests, 'Secret')).toEqual([]);
    const [job] = of<IJob>(manifests, 'Job');
    const refs = containerOf(job!).env!.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    expect(refs.map(({ name, key }) => `${name} ${key}`).toSorted()).toEqual([
      'vault-nodes DATABASE_URL',
      'vault-owner DATABASE_OWNER_URL',
    ]);
  });

  test.each(['minimal', 'existing'] as const)('of the owner reach the migrations only: %s', async (name) => {
    const manifests = await render(SETS[name]);
    const [job] = of<IJob>(manifests, 'Job');
    expect(containerOf(job!).env!.map(({ name: setting }) => setting)).toContain('DATABASE_OWNER_URL');
    for (const deployment of of(manifests, 'Deployment'))
      expect(JSON.stringify(deployment)).not.toMatch(/owner/i);
    const withKey = of<IDeployment>(manifests, 'Deployment').filter((it) =>
      JSON.stringify(it).includes('SEAL_PRIVATE_KEY'),
    );
    expect(withKey.map(roleOf)).toEqual(['sealer']);
  });

  test('that the chart makes restart the pods when they change', async () => {
    const annotations = async (values: object) =>
      of<IDeployment>(await render(values), 'Deployment').map(
        (it) => it.spec!.template.metadata!.annotations,
      );
    const before = await annotations(minimal);
    const changed = { ...nodeSecrets, REDIS_URL: 'rediss://:other@redis:6379' };
    const after = await annotations({
      ...minimal,
      secrets: { ...minimal.secrets, nodes: { values: changed } },
    });
    expect(after).toHaveLength(6);
    for (const [index, now] of after.entries()) expect(now).not.toEqual(before[index]);
  });
});

test('Pods may connect to the port of a collector', async () => {
  const [policy] = of<NetworkPolicy>(await render(minimal), 'NetworkPolicy');
  expect(policy!.spec!.egress!.flatMap(({ ports = [] }) => ports.map(({ port }) => port))).toContain(4318);
});

test('Migrations run once, before the pods, with no limit of time', async () => {
  const manifests = await render(minimal);
  const [job] = of<IJob>(manifests, 'Job');
  expect(job!.metadata.annotations).toMatchObject({
    'helm.sh/hook': 'pre-install,pre-upgrade',
    'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
  });
  expect(job!.spec).not.toHaveProperty('activeDeadlineSeconds');
  const { command, startupProbe, livenessProbe, image, securityContext } = containerOf(job!);
  expect({ command, startupProbe, livenessProbe }).toEqual({ command: ['node', 'scripts/migrate.ts'] });
  const [node] = of<IDeployment>(manifests, 'Deployment');
  expect({ image, securityContext, pod: podOf(job!).securityContext }).toEqual({
    image: containerOf(node!).image,
    securityContext: containerOf(node!).securityContext,
    pod: podOf(node!).securityContext,
  });
  for (const deployment of of<IDeployment>(manifests, 'Deployment'))
    expect(podOf(deployment).initContainers).toBeUndefined();
  // Hooks run before the rest is installed: what the Job refers to is a hook as well, and comes first.
  const [ref] = containerOf(job!).env!.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
  const secret = of(manifests, 'Secret').find(({ metadata }) => metadata.name === ref!.name)!;
  const weight = (it: Manifest) => Number(it.metadata.annotations?.['helm.sh/hook-weight']);
  expect(secret.metadata.annotations?.['helm.sh/hook']).toBe('pre-install,pre-upgrade');
  expect(weight(secret)).toBeLessThan(weight(job!));
  expect(podOf(job!).serviceAccountName).toBeUndefined();
});

test('Authorities are mounted in every pod, and the settings name their files', async () => {
  const manifests = await render(everything);
  const jobs = of<IJob>(manifests, 'Job');
  for (const workload of [...jobs, ...of<IDeployment>(manifests, 'Deployment')]) {
    const volume = podOf(workload).volumes!.find(({ name }) => name === 'authorities');
    expect(volume!.projected!.sources).toEqual(
      expect.arrayContaining([
        { secret: { name: 'chat-db-ca', items: [{ key: 'ca.crt', path: 'postgresql.crt' }] } },
        { configMap: { name: 'authorities', items: [{ key: 'redis.pem', path: 'redis.crt' }] } },
      ]),
    );
    const mount = { name: 'authorities', mountPath: '/authorities', readOnly: true };
    expect(containerOf(workload).volumeMounts).toContainEqual(mount);
  }
  for (const deployment of of<IDeployment>(manifests, 'Deployment')) {
    const env = Object.fromEntries(containerOf(deployment).env!.map(({ name, value }) => [name, value]));
    expect(env).toMatchObject({
      REDIS_CA_FILE: '/authorities/redis.crt',
      AMQP_CA_FILE: '/authorities/rabbitmq.crt',
      EVENTSTOREDB_CA_FILE: '/authorities/eventstoredb.crt',
      NODE_EXTRA_CA_CERTS: '/authorities/others.crt',
    });
  }
});

test('Selectors find the pods of their role, and services the api alone', async () => {
  const manifests = await render(everything);
  const deployments = of<IDeployment>(manifests, 'Deployment');
  const selected = (selector: Record<string, string> | undefined) =>
    deployments.filter((it) =>
      Object.entries(selector ?? {}).every(
        ([name, value]) => it.spec!.template.metadata!.labels![name] === value,
      ),
    );
  for (const it of deployments) expect(selected(it.spec!.selector.matchLabels)).toEqual([it]);
  for (const { spec } of of<PodDisruptionBudget>(manifests, 'PodDisruptionBudget'))
    expect(selected(spec!.selector!.matchLabels)).toHaveLength(1);
  const [api, nodes] = of<Service>(manifests, 'Service');
  expect(selected(api!.spec!.selector).map(roleOf)).toEqual(['api']);
  expect(selected(nodes!.spec!.selector)).toHaveLength(6);
  const [monitor] = of<ServiceMonitor>(manifests, 'ServiceMonitor');
  expect(nodes!.metadata.labels).toMatchObject(monitor!.spec.selector.matchLabels!);
  expect(api!.metadata.labels).not.toMatchObject(monitor!.spec.selector.matchLabels!);
  const [scaler] = of<HorizontalPodAutoscaler>(manifests, 'HorizontalPodAutoscaler');
  const scaled = deployments.find(({ metadata }) => metadata.name === scaler!.spec!.scaleTargetRef.name);
  expect([roleOf(scaled!), scaled!.spec!.replicas]).toEqual(['api', undefined]);
});

test('An image is named by its digest, or else by the version of the chart', async () => {
  const images = async (values: object) => {
    const manifests = await render(values);
    const workloads = [...of<IJob>(manifests, 'Job'), ...of<IDeployment>(manifests, 'Deployment')];
    return new Set(workloads.map((it) => containerOf(it).image));
  };
  const { version } = JSON.parse(fileText('package.json')) as { version: string };
  const chart = parse(fileText(`${CHART}/Chart.yaml`)) as { version: string; appVersion: string };
  expect(chart).toMatchObject({ version, appVersion: version });
  const repository = 'registry.example.org/slay-e-chatapp-backend';
  expect(await images(minimal)).toEqual(new Set([`${repository}:${version}`]));
  expect(await images({ ...minimal, image: { tag: '9.9.9' } })).toEqual(new Set([`${repository}:9.9.9`]));
  expect(await images(everything)).toEqual(new Set([`registry.example.org/chat@${DIGEST}`]));
});

test('The chart has the alert rules and the dashboard of deploy/observability', async () => {
  const manifests = await render({
    ...minimal,
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  });
  const [rule] = of<PrometheusRule>(manifests, 'PrometheusRule');
  expect(() => new PrometheusRule(rule).validate()).not.toThrow();
  expect(rule!.spec).toEqual(parse(fileText('deploy/observability/rules.yml')));
  const dashboard = of<ConfigMap>(manifests, 'ConfigMap').find(({ data }) => data!['chat.json']);
  expect(JSON.parse(dashboard!.data!['chat.json']!)).toEqual(
    JSON.parse(fileText('deploy/observability/dashboard.json')),
  );
});

test('Alert rules and dashboard come from the files of the chart, and their lack is named', async () => {
  const values = { ...minimal, prometheusRule: { enabled: true }, dashboard: { enabled: true } };
  const chart = join(folder, 'chart');
  await cp(join(ROOT, CHART), chart, { recursive: true, filter: (source) => !source.includes('/files/') });
  await rm(join(chart, 'files'), { recursive: true, force: true });
  await expect(run('template', values, chart)).rejects.toThrow('files/rules.yml is missing');
  await mkdir(join(chart, 'files'));
  const groups = [
    {
      name: 'chat',
      rules: [{ alert: 'Down', expr: 'up == 0', annotations: { summary: '{{ $labels.job }}' } }],
    },
  ];
  await writeFile(join(chart, 'files/rules.yml'), JSON.stringify({ groups }));
  await writeFile(join(chart, 'files/dashboard.json'), '{"title":"Chat"}');
  const manifests = await render(values, chart);
  const [rule] = of<PrometheusRule>(manifests, 'PrometheusRule');
  expect(rule!.spec.groups).toEqual(groups);
  const dashboard = of<ConfigMap>(manifests, 'ConfigMap').find(
    ({ metadata }) => metadata.labels['grafana_dashboard'],
  );
  expect(JSON.parse(dashboard!.data!['chat.json']!)).toEqual({ title: 'Chat' });
});

const withSettings = (changed: object) => ({ ...minimal, settings: { ...settings, ...changed } });
test.each([
  ['an unknown value', { ...minimal, imagee: {} }, 'imagee'],
  ['a role that does not exist', { ...minimal, roles: { apis: { replicas: 1 } } }, 'apis'],
  ['a secret among the settings', withSettings({ REDIS_URL: 'redis://redis' }), 'REDIS_URL'],
  [
    'headers with a secret',
    withSettings({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }),
    'OTEL_EXPORTER_OTLP_HEADERS',
  ],
  ['a setting that the chart sets itself', withSettings({ ROLES: 'api' }), 'ROLES'],
  ['no address for clients', withSettings({ PUBLIC_URL: '' }), 'PUBLIC_URL'],
  ['an address without TLS', withSettings({ PUBLIC_URL: 'http://chat.example.org' }), 'PUBLIC_URL'],
  ['checkpoints in a pod', withSettings({ SEAL_URL: 'file:///data/checkpoints.ndjson' }), 'SEAL_URL'],
  ['all private addresses as proxies', withSettings({ TRUSTED_PROXIES: '10.0.0.0/8' }), 'TRUSTED_PROXIES'],
  ['every host as a proxy', withSettings({ TRUSTED_PROXIES: '10.1.2.3, ::/0' }), 'TRUSTED_PROXIES'],
  ['a digest that is none', { ...minimal, image: { digest: 'sha256:1' } }, 'digest'],
  ['the tag "latest"', { ...minimal, image: { tag: 'latest' } }, 'tag'],
  [
    'a route without a Gateway',
    { ...minimal, httpRoute: { enabled: true, hostnames: ['a.b'] } },
    'parentRefs',
  ],
  ['an ingress without a host', { ...minimal, ingress: { enabled: true, className: 'nginx' } }, 'host'],
  ['an authority from nowhere', { ...minimal, authorities: { redis: { key: 'ca.crt' } } }, 'redis'],
  [
    'a Secret along with values',
    { ...minimal, secrets: { ...minimal.secrets, sealer: { existingSecret: 'seal', values: sealKey } } },
    'sealer',
  ],
  ['no secrets', { settings }, 'secrets.nodes: give existingSecret, or DATABASE_URL among the values'],
  [
    'a URL that does not use the mounted authority',
    { ...minimal, authorities: { postgresql: { secret: 'chat-db-ca' } } },
    'sslrootcert=/authorities/postgresql.crt',
  ],
] as const)('%s is refused', async (_what, values, told) => {
  await expect(run('template', values)).rejects.toThrow(told);
});

test('The values of the guide are accepted, and lead in', async () => {
  const example = /```yaml\n(image: [^]+?)```/.exec(fileText('docs/deployment.md'))?.[1] ?? '';
  const manifests = await render(parse(example.replace('sha256:…', DIGEST)) as object);
  const kinds = manifests.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['HTTPRoute', 'ServiceMonitor', 'PrometheusRule', 'Job']));
  expect(kinds).not.toContain('Secret');
});

test('What is left to do is told after an installation', async () => {
  const notes = async (values: object) => {
    const file = join(folder, `notes-${(count += 1)}.json`);
    await writeFile(file, JSON.stringify(values));
    const args = ['install', 'chat', join(ROOT, CHART), '--dry-run=client', '--values', file];
    const { stdout } = await promisify(execFile)(helm, args);
    return stdout.split('NOTES:')[1]!;
  };
  expect(await notes(minimal)).toMatch(/Nothing leads in[^]+TRUSTED_PROXIES is empty/);
  expect(await notes(everything)).not.toMatch(/Nothing leads in|is empty|Migrations do not run/);
  expect(await notes({ ...everything, networkPolicy: {} })).toContain('clientNamespaces is empty');
  expect(await notes(nothingOptional)).toContain('Migrations do not run by themselves');
});
