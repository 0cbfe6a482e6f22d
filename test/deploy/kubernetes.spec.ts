import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Namespace, Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { ROOT, fileText } from '../support/journeys/deployment-files.ts';
import { kubernetesProgram } from '../../tools/kubernetes-programs.ts';

const FOLDER = 'deploy/kubernetes';
const ROLES = ['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer'];

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // Each kind has its own schema, which its model validates.
  spec: never;
}

const kustomization = parse(fileText(`${FOLDER}/kustomization.yaml`)) as {
  resources: string[];
  patches: { path: string; target: { kind: string } }[];
  configMapGenerator: { name: string; envs: string[] }[];
  secretGenerator: { name: string; envs: string[] }[];
  images: { name: string; newName: string; newTag: string }[];
};

/** Everything that `kubectl apply -k` sends, with the examples as the files of secrets. */
const manifests = await (async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-kubernetes-'));
  try {
    await cp(join(ROOT, FOLDER), folder, { recursive: true });
    for (const name of ['secret', 'owner', 'seal'])
      await copyFile(join(folder, `${name}.env.example`), join(folder, `${name}.env`));
    const { stdout } = await promisify(execFile)(await kubernetesProgram('kubectl'), ['kustomize', folder]);
    return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  } finally {
    await rm(folder, { recursive: true });
  }
})();
const MODELS = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
};
const all = <K extends keyof typeof MODELS>(kind: K) =>
  manifests
    .filter((it) => it.kind === kind)
    .map((it) => new MODELS[kind](it as never) as InstanceType<(typeof MODELS)[K]>);
const deployments = all('Deployment');
const nodeOf = (deployment: Deployment) => deployment.spec!.template.spec!.containers[0]!;
const roleOf = (deployment: Deployment) =>
  nodeOf(deployment).env?.find(({ name }) => name === 'ROLES')?.value;

const settings = parseEnv(fileText(`${FOLDER}/settings.env`)) as Record<string, string>;
const secrets = parseEnv(fileText(`${FOLDER}/secret.env.example`)) as Record<string, string>;
/** Well-formed values for the secrets that have a format. */
const filledIn: Record<string, string> = {
  DATABASE_URL:
    'postgres://chat:secret@postgres:5432/chat?sslmode=verify-full&sslrootcert=/authorities/postgresql.crt',
  EVENTSTOREDB_URL: 'esdb+discover://chat:secret@eventstore:2113?tls=true',
  REDIS_URL: 'rediss://:secret@redis:6379',
  AMQP_URL: 'amqps://chat:secret@rabbitmq:5671',
  SMTP_URL: 'smtps://chat:secret@mail.example.org',
  AWS_ACCESS_KEY_ID: 'chat',
  AWS_SECRET_ACCESS_KEY: 'secret',
};

const matches = (selector: Record<string, string> | undefined, labels: Record<string, string> | undefined) =>
  Object.entries(selector ?? {}).every(([name, value]) => labels?.[name] === value);
const selectedBy = (selector: Record<string, string> | undefined) =>
  deployments
    .filter((it) => matches(selector, it.spec!.template.metadata?.labels))
    .map((it) => it.metadata!.name);

test.each(manifests.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
  '%s %s is valid for Kubernetes',
  (kind, _name, manifest) => {
    const Model = MODELS[kind as keyof typeof MODELS];
    expect(Model).toBeDefined();
    expect(() => new Model(manifest as never).validate()).not.toThrow();
    expect({ apiVersion: manifest.apiVersion, kind }).toEqual({ apiVersion: new Model().apiVersion, kind });
  },
);

test('The kustomization contains every file of the folder, and only those', () => {
  const named = [
    ...kustomization.resources,
    // The other way in, which one puts in place of the ingress.
    /^ {2}# - (\S+)$/m.exec(fileText(`${FOLDER}/kustomization.yaml`))?.[1],
    ...kustomization.patches.map(({ path }) => path),
    ...kustomization.configMapGenerator.flatMap(({ envs }) => envs),
    ...kustomization.secretGenerator.flatMap(({ envs }) => envs.map((file) => `${file}.example`)),
  ];
  const there = readdirSync(join(ROOT, FOLDER)).filter(
    (file) => !['kustomization.yaml', '.gitignore', 'secret.env'].includes(file),
  );
  expect(named.toSorted()).toEqual(there.toSorted());
  expect(fileText(`${FOLDER}/.gitignore`)).toContain('secret.env\n');
});

test('Pods use the settings and the secrets of ConfigMap and Secret, which are valid', () => {
  new ConfigMap({ data: settings }).validate();
  new Secret({ stringData: secrets }).validate();
  const generated = (kind: string, { name }: { name: string } = { name: '' }) =>
    manifests.find((it) => it.kind === kind && it.metadata.name.startsWith(`${name}-`))?.metadata;
  const config = generated('ConfigMap', kustomization.configMapGenerator[0]);
  const secret = generated('Secret', kustomization.secretGenerator[0]);
  for (const deployment of deployments)
    expect(nodeOf(deployment).envFrom).toEqual([
      { configMapRef: { name: config?.name } },
      { secretRef: { name: secret?.name } },
    ]);
});

test('Only the container that runs the migrations has the database owner', () => {
  const owner = parseEnv(fileText(`${FOLDER}/owner.env.example`));
  expect(owner).toEqual({ DATABASE_OWNER_URL: '' });
  expect(kustomization.secretGenerator.at(-1)).toEqual({ name: 'owner', envs: ['owner.env'] });
  for (const deployment of deployments) {
    const { initContainers = [], containers } = deployment.spec!.template.spec!;
    expect(initContainers).toHaveLength(1);
    const [migrating] = initContainers;
    expect(migrating).toMatchObject({
      command: ['node', 'scripts/migrate.ts'],
      image: containers[0]!.image,
      securityContext: containers[0]!.securityContext,
    });
    const owner = { secretRef: { name: expect.stringMatching(/^owner-/) } };
    expect(migrating!.envFrom).toContainEqual(owner);
    for (const { envFrom } of containers) expect(envFrom).not.toContainEqual(owner);
  }
});

test('Only the pods that seal the log have the key that signs checkpoints', () => {
  expect(parseEnv(fileText(`${FOLDER}/seal.env.example`))).toEqual({ SEAL_PRIVATE_KEY: '' });
  expect(secrets).not.toHaveProperty('SEAL_PRIVATE_KEY');
  const withKey = deployments.filter((it) => nodeOf(it).env?.some(({ name }) => name === 'SEAL_PRIVATE_KEY'));
  expect(withKey.map(roleOf)).toEqual(['sealer']);
});

test('Pods keep nothing in their own folders that another pod needs', () => {
  const { s3, seal, erasedPeople } = readConfig({ ...settings, ...filledIn });
  const buckets = [s3?.bucket, seal.s3?.bucket, erasedPeople.s3?.bucket];
  expect(new Set(buckets).size).toBe(3);
  expect(buckets).not.toContain(undefined);
});

test('No proxy is trusted until the operator names one', () => {
  expect(settings['TRUSTED_PROXIES']).toBe('');
});

test('No secret has a value, and none is among the settings', () => {
  for (const [name, value] of Object.entries(secrets)) expect([name, value]).toEqual([name, '']);
  const both = Object.keys(settings).filter((name) => name in secrets);
  expect(both).toEqual([]);
  for (const name of Object.keys(settings)) expect(name).not.toMatch(/SECRET|PASSWORD|PRIVATE_KEY$/);
});

test.each(ROLES)('A pod of the role %s accepts its settings', (role) => {
  const deployment = deployments.find((it) => roleOf(it) === role)!;
  expect(deployment.metadata!.name).toBe(role);
  const env = Object.fromEntries(nodeOf(deployment).env!.map(({ name, value }) => [name, value]));
  const config = readConfig({ ...settings, ...secrets, ...filledIn, ...env });
  expect([...config.roles]).toEqual([role]);
  expect(config).toMatchObject({ host: '0.0.0.0', port: nodeOf(deployment).ports![0]!.containerPort });
  expect(config.eventStoreDbUrl && config.redisUrl && config.amqpUrl && config.s3).toBeTruthy();
});

test('Traces are off until the settings say where they go', () => {
  expect(readConfig({ ...settings, ...secrets, ...filledIn }).traces).toBeUndefined();
  const on = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
  };
  const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'x-scope=jobs' };
  for (const name of Object.keys(on)) expect(settings).toHaveProperty(name, '');
  expect(secrets).toMatchObject({ OTEL_EXPORTER_OTLP_HEADERS: '' });
  expect(readConfig({ ...settings, ...on, ...secrets, ...filledIn, ...headers }).traces).toMatchObject({
    url: 'http://collector:4318/v1/traces',
    headers: { 'x-scope': 'jobs' },
    ratio: 0.05,
  });
});

test.each(ROLES)('%s runs with the fewest rights it needs', (role) => {
  const pod = deployments.find((it) => roleOf(it) === role)!.spec!.template.spec!;
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  const [container] = pod.containers;
  expect(container?.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(container?.resources).toMatchObject({
    requests: { cpu: expect.any(String), memory: expect.any(String) },
    limits: { memory: expect.any(String) },
  });
  const mounts = container?.volumeMounts?.map(({ name }) => name);
  expect(pod.volumes?.map(({ name }) => name)).toEqual(mounts);
});

test.each(ROLES)('The termination grace period of %s exceeds its shutdown time and preStop delay', (role) => {
  const pod = deployments.find((it) => roleOf(it) === role)!.spec!.template.spec!;
  const [command, seconds] = pod.containers[0]!.lifecycle!.preStop!.exec!.command!;
  expect(command).toBe('sleep');
  const stop =
    Number(/SHUTDOWN_MS = ([\d_]+)/.exec(fileText('src/main.ts'))?.[1]?.replaceAll('_', '')) / 1_000;
  expect(stop).toBe(25);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + stop);
});

test('Probes use existing routes, and only readiness checks dependencies', () => {
  const routes = fileText('src/http/routes/health.ts');
  for (const deployment of deployments) {
    const { startupProbe, livenessProbe, readinessProbe, ports } = nodeOf(deployment);
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(routes).toContain(`'${probe?.httpGet?.path}'`);
      expect(ports?.map(({ name }) => name)).toContain(probe?.httpGet?.port);
    }
    const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path);
    expect(paths).toEqual(['/health/live', '/health/live', '/health/ready']);
  }
});

test('Every role survives node drains, and has enough pods for a standby', () => {
  const budgets = all('PodDisruptionBudget');
  expect(budgets.flatMap((it) => selectedBy(it.spec?.selector?.matchLabels)).toSorted()).toEqual(
    ROLES.toSorted(),
  );
  const [scaler, ...others] = all('HorizontalPodAutoscaler');
  expect(others).toEqual([]);
  const scaled = scaler!.spec!.scaleTargetRef.name;
  expect(scaler!.spec!.minReplicas).toBeGreaterThanOrEqual(2);
  for (const { metadata, spec } of deployments) {
    // A fixed number would conflict with the autoscaler.
    expect([metadata!.name, spec!.replicas]).toEqual([
      metadata!.name,
      metadata!.name === scaled ? undefined : 2,
    ]);
    expect(matches(spec!.selector.matchLabels, spec!.template.metadata?.labels)).toBe(true);
    expect(selectedBy(spec!.selector.matchLabels)).toEqual([metadata!.name]);
  }
  expect(nodeOf(deployments.find((it) => it.metadata!.name === scaled)!).resources?.requests).toHaveProperty(
    'cpu',
  );
});

test('The ingress reaches the api pods only, and no internal path', () => {
  const api = all('Service').find((it) => it.metadata!.name === 'api')!;
  expect(selectedBy(api.spec!.selector)).toEqual(['api']);
  expect(api.spec!.ports).toEqual([
    expect.objectContaining({ targetPort: nodeOf(deployments[0]!).ports![0]!.name }),
  ]);
  const [ingress] = all('Ingress');
  const paths = ingress!.spec!.rules![0]!.http!.paths;
  for (const { backend } of paths)
    expect(backend.service).toEqual({ name: 'api', port: { name: api.spec!.ports![0]!.name } });
  const open = paths.map(({ path }) => path!);
  for (const path of ['/metrics', '/health/ready', '/internal/scan-orders'])
    expect(open.some((it) => path.startsWith(it))).toBe(false);
  const annotations = ingress!.metadata!.annotations!;
  // A ping every 25 s, with 20 s for its answer.
  expect(Number(annotations['nginx.ingress.kubernetes.io/proxy-read-timeout'])).toBeGreaterThan(45);
  expect(new URL(settings['PUBLIC_URL']!).hostname).toBe(ingress!.spec!.rules![0]!.host);
});

test('The route of the Gateway API opens what the ingress opens', () => {
  const route = new HTTPRoute(parse(fileText(`${FOLDER}/http-route.yaml`)) as never);
  expect(() => route.validate()).not.toThrow();
  const [ingress] = all('Ingress');
  const [{ host, http } = { host: '', http: undefined }] = ingress!.spec!.rules!;
  expect(route.spec.hostnames).toEqual([host]);
  const opened = route.spec
    .rules!.flatMap(({ matches }) => matches ?? [])
    .map(({ path }) => `${path?.value} ${path?.type?.replace('Path', '')}`);
  expect(opened.toSorted()).toEqual(
    http!.paths.map(({ path, pathType }) => `${path} ${pathType}`).toSorted(),
  );
  for (const { backendRefs } of route.spec.rules!) expect(backendRefs).toEqual([{ name: 'api', port: 80 }]);
});

test('Every pod has the authorities that the examples of URLs name, if there are any', () => {
  for (const deployment of deployments) {
    const { volumes, initContainers = [], containers } = deployment.spec!.template.spec!;
    const sources = [{ configMap: { name: 'authorities', optional: true } }];
    expect(volumes).toContainEqual({ name: 'authorities', projected: { sources } });
    for (const { volumeMounts } of [...initContainers, ...containers])
      expect(volumeMounts).toContainEqual({ name: 'authorities', mountPath: '/authorities', readOnly: true });
  }
  for (const file of ['secret', 'owner'])
    expect(fileText(`${FOLDER}/${file}.env.example`)).toContain(
      '?sslmode=verify-full&sslrootcert=/authorities/postgresql.crt',
    );
});

test('Only the ingress controller and Prometheus may connect to pods', () => {
  const policies = all('NetworkPolicy');
  const covering = policies.filter((it) => it.spec!.policyTypes?.includes('Egress'));
  expect(covering.flatMap((it) => selectedBy(it.spec!.podSelector?.matchLabels)).toSorted()).toEqual(
    ROLES.toSorted(),
  );
  const allowed = (name: string | undefined) =>
    policies
      .filter((it) => selectedBy(it.spec!.podSelector?.matchLabels).includes(name))
      .flatMap((it) => it.spec!.ingress ?? [])
      .flatMap(({ from }) => from ?? [])
      .map((peer) => peer.namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name']);
  expect(allowed('api').toSorted()).toEqual(['ingress-nginx', 'monitoring']);
  for (const role of ROLES.slice(1)) expect(allowed(role)).toEqual(['monitoring']);
  const ports = covering
    .flatMap((it) => it.spec!.egress ?? [])
    .flatMap((rule) => rule.ports?.map(({ port }) => port));
  const collector = 'http://collector:4318';
  const asked = Object.values({ ...filledIn, clamd: settings['CLAMD_URL']!, collector })
    .filter((value) => URL.canParse(value))
    .map((value) => new URL(value))
    .map(({ port, protocol }) => Number(port || (protocol === 'smtps:' ? 465 : 0)));
  for (const port of asked) expect(ports).toContain(port);
});

test('The image is ours, in the current version', () => {
  const [image] = kustomization.images;
  const { version } = JSON.parse(fileText('package.json')) as { version: string };
  expect(image?.newTag).toBe(version);
  for (const deployment of deployments)
    for (const { image: pulled } of [nodeOf(deployment), deployment.spec!.template.spec!.initContainers![0]!])
      expect(pulled).toBe(`${image?.newName}:${version}`);
});
