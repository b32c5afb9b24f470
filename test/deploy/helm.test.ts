/** The chart, linted and rendered by Helm itself. What it renders fits Kubernetes' own schemas, itself, and this program. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.js';
import { lacks } from '../support/needed-programs.js';
import { ROOT } from '../support/processes.js';
import { CHART, lint, refusal, render, SETS } from './chart.js';
import type { Container, Deployment, KubernetesObject, Labels } from './chart.js';

const textOf = (...place: string[]): string => readFileSync(path.join(...place), 'utf8');

/** Milliseconds of the process (src/commands/process.ts), in seconds. */
const PROCESS_GRACE = 27;

const kubernetes = JSON.parse(textOf(ROOT, 'test/deploy/kubernetes.schema.json')) as {
  kinds: Record<string, object>;
  $defs: object;
};
const ajv = new Ajv({ strict: false, allErrors: true });

/** Each object against the schema of its kind, which allows no other field. */
function mistakesIn(object: KubernetesObject): unknown[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  const schema = kubernetes.kinds[kind];
  if (schema === undefined) return [`there is no schema of ${kind}`];
  const { $defs } = kubernetes;
  const validate = ajv.compile({ ...schema, $defs });
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${kind}${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
}

const isOf =
  (kind: string) =>
  (object: KubernetesObject): boolean =>
    object.kind === kind;
const deploymentsOf = (objects: readonly KubernetesObject[]): Deployment[] =>
  objects.filter(isOf('Deployment')) as Deployment[];
const containerOf = ({ spec }: Deployment): Container => spec.template.spec.containers[0];
const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([label, value]) => labels[label] === value);
const variablesOf = (objects: readonly KubernetesObject[]): Record<string, string> =>
  objects.find(({ kind, data }) => kind === 'ConfigMap' && data?.['PORT'] !== undefined)?.data ??
  {};

/** Names that docs/settings.md documents, and those that the client of S3 reads by itself. */
const SETTINGS = new Set([
  ...[...textOf(ROOT, 'docs/settings.md').matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+|HOST|PORT)`/g)].map(
    ([, name = '']) => name,
  ),
  ...['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  'CODEC_KEYS',
]);

const isWithoutHelm = lacks('Helm');

describe.skipIf(isWithoutHelm)('the chart', () => {
  describe.each(Object.entries(SETS))('with %s', (name, values) => {
    const objects = isWithoutHelm ? [] : render(values);
    const deployments = deploymentsOf(objects);

    it('passes the strict linter', () => {
      const { ok, said } = lint(values);
      expect(ok, said).toBe(true);
    });

    it('makes objects that Kubernetes, KEDA and the Prometheus Operator know, without an unknown field', () => {
      expect(objects.length).toBeGreaterThan(3);
      expect(objects.flatMap(mistakesIn)).toEqual([]);
    });

    it('gives each a name of its own and the labels of the release', () => {
      const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of objects) {
        expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'clips' });
        for (const value of Object.values(metadata.labels)) {
          expect(value).toMatch(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/);
        }
      }
    });

    it('lets each Deployment select its own pods and no other', () => {
      for (const { spec } of deployments) {
        const mine = deployments.filter((other) =>
          selects(spec.selector.matchLabels, other.spec.template.metadata.labels),
        );
        expect(mine).toHaveLength(1);
      }
    });

    it('points every selector, budget, policy and monitor at pods of its component', () => {
      const pointing = objects.filter(({ kind }) =>
        ['Service', 'PodDisruptionBudget', 'NetworkPolicy', 'PodMonitor'].includes(kind),
      );
      for (const { kind, spec, metadata } of pointing) {
        const { matchLabels = spec['selector'] } = (spec['selector'] ?? spec['podSelector']) as {
          matchLabels?: Labels;
        };
        const met = deployments.filter((deployment) =>
          selects(matchLabels as Labels, deployment.spec.template.metadata.labels),
        );
        const component = metadata.labels['app.kubernetes.io/component'];
        const ofComponent = deployments.filter((deployment) =>
          selects({ 'app.kubernetes.io/component': component ?? '' }, deployment.metadata.labels),
        );
        expect(met, `${kind} ${metadata.name}`).toEqual(ofComponent);
        expect(met.length).toBeGreaterThan(0);
      }
      const [service] = objects.filter(isOf('Service'));
      for (const monitor of objects.filter(isOf('ServiceMonitor'))) {
        const { matchLabels } = monitor.spec['selector'] as { matchLabels: Labels };
        expect(selects(matchLabels, service?.metadata.labels ?? {})).toBe(true);
      }
    });

    it('asks ports that the container has and the process listens on', () => {
      const { PORT, WORKER_HTTP_PORT } = variablesOf(objects);
      for (const deployment of deployments) {
        const container = containerOf(deployment);
        const port = container.args[0] === 'api' ? PORT : WORKER_HTTP_PORT;
        expect(container.ports).toEqual([{ name: 'http', containerPort: Number(port) }]);
        const { startupProbe, readinessProbe, livenessProbe } = container;
        expect(startupProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
        expect(readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' });
        // Not /readyz: a restart would not bring Temporal back.
        expect(livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'http' });
      }
      const [service] = objects.filter(isOf('Service'));
      expect(service?.spec['ports']).toMatchObject([{ name: 'http', targetPort: 'http' }]);
      for (const { spec } of objects.filter(({ kind }) => kind.endsWith('Monitor'))) {
        const [endpoint] = (spec['endpoints'] ?? spec['podMetricsEndpoints']) as [object];
        expect(endpoint).toMatchObject({ port: 'http', path: '/metrics' });
      }
    });

    it('gives processes the time that their stop may take', () => {
      const grace = Number(variablesOf(objects)['WORKER_GRACE'] ?? loadConfig({}).worker.grace);
      for (const deployment of deployments) {
        const { terminationGracePeriodSeconds: seconds } = deployment.spec.template.spec;
        const { args, lifecycle } = containerOf(deployment);
        if (args[0] === 'worker') {
          expect(seconds).toBeGreaterThan(Math.max(grace + 2, PROCESS_GRACE));
          continue;
        }
        // Requests still come for a moment after the pod has left the endpoints.
        const wait = lifecycle?.preStop.sleep.seconds ?? 0;
        expect(wait).toBeGreaterThan(0);
        expect(seconds).toBeGreaterThan(wait + PROCESS_GRACE);
      }
    });

    it('sets only variables that the program knows, to values that it takes', () => {
      const variables = variablesOf(objects);
      const given = deployments.flatMap((deployment) =>
        containerOf(deployment).env.map(({ name }) => name),
      );
      const unknown = [...Object.keys(variables), ...given].filter((name) => !SETTINGS.has(name));
      expect(unknown).toEqual([]);
      const config = loadConfig({
        ...variables,
        DATA_DIR: '.data',
        REPLICATE_API_TOKEN: 'r8_test',
        API_KEYS: 'a-key-for-the-test',
      });
      expect(config.replicate.simulated).toBe(false);
      expect(config.temporal.address).toBe(variables['TEMPORAL_ADDRESS']);
      // Of a Service named temporal, Kubernetes would set TEMPORAL_PORT to tcp://….
      for (const { spec } of deployments) expect(spec.template.spec.enableServiceLinks).toBe(false);
    });

    it('refers to secrets and has none in another object', () => {
      const secret = objects.find(isOf('Secret'));
      const name = secret?.metadata.name ?? 'durable-clip-generator';
      for (const deployment of deployments) {
        const { env } = containerOf(deployment);
        const keys = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
        expect(new Set(keys.map((key) => key.name))).toEqual(new Set([name]));
        const needed = keys.filter(({ optional }) => optional !== true).map(({ key }) => key);
        expect(needed.sort()).toEqual(['API_KEYS', 'REPLICATE_API_TOKEN']);
      }
      const others = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'));
      for (const value of Object.values(secret?.stringData ?? {})) {
        expect(others.includes(value)).toBe(false);
      }
    });

    it('lets Prometheus show a key of the API', () => {
      const secret = objects.find(isOf('Secret'));
      for (const { spec } of objects.filter(({ kind }) => kind.endsWith('Monitor'))) {
        const [endpoint] = (spec['endpoints'] ?? spec['podMetricsEndpoints']) as [
          { authorization: { type: string; credentials: { name: string; key: string } } },
        ];
        const { type, credentials } = endpoint.authorization;
        expect(type).toBe('Bearer');
        if (secret === undefined) {
          expect(credentials).toEqual({ name: 'durable-clip-generator', key: 'API_KEYS' });
          continue;
        }
        expect(credentials.name).toBe(secret.metadata.name);
        const { stringData = {} } = secret;
        const { keys } = loadConfig({ ...stringData, HOST: '0.0.0.0' }).api;
        expect(keys).toContain(stringData[credentials.key]);
      }
    });

    it('names only objects that exist', () => {
      const has = (kind: string, wanted: string): boolean =>
        objects.some((object) => object.kind === kind && object.metadata.name === wanted);
      for (const deployment of deployments) {
        const { serviceAccountName } = deployment.spec.template.spec;
        const isMade = name !== 'everything switched off';
        expect(has('ServiceAccount', serviceAccountName)).toBe(isMade);
        for (const { configMapRef } of containerOf(deployment).envFrom)
          expect(has('ConfigMap', configMapRef.name)).toBe(true);
      }
      for (const { kind, spec } of objects) {
        if (kind !== 'HorizontalPodAutoscaler' && kind !== 'ScaledObject') continue;
        const target = (spec['scaleTargetRef'] as { name: string }).name;
        const scaled = deployments.find(({ metadata }) => metadata.name === target);
        // A number of pods here would undo what the autoscaler did, at each upgrade.
        expect(scaled).toBeDefined();
        expect(scaled?.spec.replicas).toBeUndefined();
      }
    });

    it('runs processes without privileges, which write to their volumes alone', () => {
      for (const deployment of deployments) {
        const pod = deployment.spec.template.spec;
        expect(pod.automountServiceAccountToken).toBe(false);
        expect(pod.securityContext).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        const container = containerOf(deployment);
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        const { DATA_DIR } = variablesOf(objects);
        const places = container.volumeMounts.map(({ mountPath }) => mountPath);
        expect(places).toEqual(expect.arrayContaining([DATA_DIR, '/tmp']));
        const volumes = pod.volumes.map((volume) => volume.name);
        for (const mount of container.volumeMounts) expect(volumes).toContain(mount.name);
        expect(container.resources).toMatchObject({
          requests: { cpu: expect.anything() as unknown, memory: expect.anything() as unknown },
          limits: { memory: expect.anything() as unknown },
        });
      }
    });
  });

  it('lets pods reach Temporal, the bucket, traces, the provider and names, and no private address beyond', () => {
    const policies = render(SETS['everything switched on']).filter(isOf('NetworkPolicy'));
    expect(policies).toHaveLength(2);
    for (const { spec } of policies) {
      const rules = spec['egress'] as { ports: { port: number }[]; to?: object[] }[];
      const portsOf = (isPublic: boolean): number[] =>
        rules
          .filter(({ to }) => (to !== undefined) === isPublic)
          .flatMap(({ ports }) => ports.map(({ port }) => port));
      expect(portsOf(false)).toEqual([53, 53, 7233, 9000, 4318, 8443]);
      expect(portsOf(true)).toEqual([443, 80]);
      const [internet] = rules.flatMap(({ to = [] }) => to) as { ipBlock: { except: string[] } }[];
      expect(internet?.ipBlock.except).toContain('169.254.0.0/16'); // metadata of the cloud
    }
  });

  it('scales workers by the backlog of the queues that they poll, of their own version', () => {
    const [scaled] = render(SETS['everything switched on']).filter(isOf('ScaledObject'));
    const triggers = scaled?.spec['triggers'] as { type: string; metadata: Labels }[];
    expect(triggers.map(({ type, metadata }) => [type, metadata['taskQueue']])).toEqual([
      ['temporal', 'trailers-paid'],
      ['temporal', 'trailers-hold'],
      ['temporal', 'trailers-save'],
    ]);
    for (const { metadata } of triggers) {
      expect(metadata).toMatchObject({
        endpoint: 'video.a1b2c.tmprl.cloud:7233',
        namespace: 'video.a1b2c',
        queueTypes: 'activity',
        workerDeploymentName: 'videos',
        workerDeploymentBuildId: '2.0.0',
      });
    }
    expect(Number(triggers[0]?.metadata['targetQueueSize'])).toBe(loadConfig({}).worker.slots);
  });

  it('keeps workers of earlier versions, each with its own image and build id', () => {
    const workers = deploymentsOf(render(SETS['everything switched on'])).filter(
      (deployment) => containerOf(deployment).args[0] === 'worker',
    );
    const versions = workers.map((deployment) => {
      const { image, env } = containerOf(deployment);
      const variable = (wanted: string) => env.find(({ name }) => name === wanted)?.value;
      return [image, variable('TEMPORAL_DEPLOYMENT_NAME'), variable('TEMPORAL_BUILD_ID')];
    });
    expect(versions).toEqual([
      ['registry.example/clips:2.0.0', 'videos', '2.0.0'],
      ['registry.example/clips:1.9.0', 'videos', '1.9.0+build.7'],
    ]);
  });

  it('starts new pods when a setting or a secret of its own changes, and only then', () => {
    const sums = (values: object): Labels[] =>
      deploymentsOf(render(values)).map(({ spec }) => spec.template.metadata.annotations);
    const { secrets } = SETS['everything switched on'] as { secrets: { values: object } };
    const before = sums({ secrets });
    expect(sums({ secrets, service: { port: 8080 } })).toEqual(before);
    expect(sums({ secrets, config: { LOG_LEVEL: 'debug' } })).not.toEqual(before);
    const values = { ...secrets.values, API_KEYS: 'another-key-of-the-chart' };
    expect(sums({ secrets: { ...secrets, values } })).not.toEqual(before);
  });

  it.each([
    [{ config: { LOG_LEVEL: 'loud' } }, "at '/config/LOG_LEVEL': value must be one of 'trace'"],
    [{ config: { LOG_LVEL: 'info' } }, "additional properties 'LOG_LVEL' not allowed"],
    [{ config: { TEMPORAL_ADDRESS: 'temporal' } }, "at '/config/TEMPORAL_ADDRESS'"],
    [{ config: { STORAGE_URL: 'https://clips' } }, "at '/config/STORAGE_URL'"],
    [{ config: { REPLICATE_API_TOKEN: 'r8_x' } }, "'REPLICATE_API_TOKEN' not allowed"],
    [{ config: { REPLICATE_CREATES_PER_MINUTE: 900 } }, 'maximum: got 900, want 600'],
    [{ api: { replica: 2 } }, "additional properties 'replica' not allowed"],
    [{ api: { replicas: '2' } }, "at '/api/replicas': got string, want integer"],
    [{ worker: { autoscaling: { minReplicas: 0 } } }, 'minimum: got 0, want 1'],
    [{ worker: { autoscaling: { type: 'vpa' } } }, "value must be one of 'none', 'keda', 'hpa'"],
    [{ image: { digest: 'latest' } }, "at '/image/digest'"],
    [
      { secrets: { existingSecret: '', values: { API_KEYS: 'short' } } },
      "'/secrets/values/API_KEYS'",
    ],
  ])('refuses %j, and says where the mistake is', (values, words) => {
    expect(refusal(values)).toContain(words);
  });

  it.each([
    [
      { config: { STORAGE_URL: '' } },
      'config.STORAGE_URL: expected s3://bucket/prefix, got nothing; set it, or dataDir.existingClaim',
    ],
    [
      { secrets: { existingSecret: '', values: { API_KEYS: 'a-key-for-the-test' } } },
      'secrets.values.REPLICATE_API_TOKEN: expected a value, got nothing',
    ],
    [
      { secrets: { values: { API_KEYS: 'a-key-for-the-test' } } },
      'secrets.values: expected nothing because secrets.existingSecret is "durable-clip-generator"',
    ],
    [
      { api: { preStopSeconds: 60 } },
      'api.terminationGracePeriodSeconds: expected at least api.preStopSeconds and 30 (90), got 45',
    ],
    [
      { config: { WORKER_GRACE: 120 } },
      'worker.terminationGracePeriodSeconds: expected at least WORKER_GRACE and 5 (125), got 45',
    ],
    [
      { worker: { autoscaling: { minReplicas: 20 } } },
      'worker.autoscaling.minReplicas: expected at most maxReplicas (10), got 20',
    ],
    [{ ingress: { enabled: true } }, 'ingress.hosts: expected at least one host name'],
    [
      {
        worker: {
          versioning: {
            enabled: true,
            buildId: 'a',
            previous: [{ buildId: 'a', tag: '1', replicas: 1 }],
          },
        },
      },
      'worker.versioning.previous: expected builds other than the current one, got "a"',
    ],
  ])('refuses %j, which cannot work together', (values, words) => {
    expect(refusal(values)).toContain(words);
  });
});

interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
}

describe('values.schema.json', () => {
  const schema = JSON.parse(textOf(CHART, 'values.schema.json')) as Schema;
  const values = parse(textOf(CHART, 'values.yaml')) as object;

  it('describes every value, and allows no other', () => {
    const silent: string[] = [];
    const open: string[] = [];
    const walk = (
      place: string,
      { description, properties, additionalProperties }: Schema,
    ): void => {
      if ((description ?? '') === '' && !/requests\.|limits\./.test(place)) silent.push(place);
      if (properties === undefined) return;
      if (additionalProperties !== false) open.push(place);
      for (const [name, of] of Object.entries(properties)) walk(`${place}.${name}`, of);
    };
    walk('values', schema);
    expect(silent).toEqual([]);
    expect(open).toEqual([]);
  });

  it('has every value of values.yaml, and values.yaml a default of every value but settings and secrets', () => {
    const leavesOf = (object: object, of: Schema, place = ''): string[] =>
      Object.entries(of.properties ?? {}).flatMap(([name, below]) => {
        const value = (object as Record<string, object | undefined>)[name];
        const here = `${place}${name}`;
        if (value === undefined) return [here];
        return below.properties ? leavesOf(value, below, `${here}.`) : [];
      });
    const without = leavesOf(values, schema).filter(
      (place) => !/^(global$|config\.|secrets\.values\.)|resources\./.test(place),
    );
    expect(without).toEqual([]);
  });
});
