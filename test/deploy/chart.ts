/** The chart as Helm renders it, with several sets of values. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { HELM } from '../../setup/test-extras.mjs';
import { ROOT } from '../support/processes.js';

export const CHART = path.join(ROOT, 'deploy/helm/durable-clip-generator');

/** What of the objects the tests look at. */
export interface Container {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value?: string; valueFrom?: { secretKeyRef?: SecretKey } }[];
  envFrom: { configMapRef: { name: string } }[];
  ports: { name: string; containerPort: number }[];
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  startupProbe: Probe;
  readinessProbe: Probe;
  livenessProbe: Probe;
  volumeMounts: { name: string; mountPath: string }[];
  securityContext: object;
  resources: { requests: object; limits: object };
}
export interface SecretKey {
  name: string;
  key: string;
  optional?: boolean;
}
interface Probe {
  httpGet: { path: string; port: string };
}
export interface PodSpec {
  serviceAccountName: string;
  enableServiceLinks: boolean;
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds: number;
  securityContext: object;
  containers: [Container];
  volumes: { name: string; emptyDir?: object; persistentVolumeClaim?: { claimName: string } }[];
}
export type Labels = Record<string, string>;
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Labels; annotations?: Labels };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec: Record<string, unknown>;
}
export interface Deployment extends KubernetesObject {
  spec: {
    replicas?: number;
    selector: { matchLabels: Labels };
    template: { metadata: { labels: Labels; annotations: Labels }; spec: PodSpec };
  };
}

const helm = (words: readonly string[], values: object) => {
  const { status, stdout, stderr } = spawnSync(HELM, [...words, '--values', '-'], {
    input: stringify(values),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return { ok: status === 0, stdout, said: stdout + stderr };
};

/** A version of Kubernetes: a Helm built with `go install` knows only an old one of its own. */
const KUBERNETES = ['--kube-version', '1.33.0'];

export const lint = (values: object) => helm(['lint', '--strict', CHART, ...KUBERNETES], values);

const template = (values: object) =>
  helm(['template', 'clips', CHART, '--namespace', 'video', ...KUBERNETES], values);

export function render(values: object = {}): KubernetesObject[] {
  const { ok, stdout, said } = template(values);
  if (!ok) throw new Error(said);
  return parseAllDocuments(stdout, { uniqueKeys: true, strict: true })
    .map((document) => {
      const [mistake] = document.errors;
      if (mistake) throw mistake;
      return document.toJS() as KubernetesObject | null;
    })
    .filter((object) => object !== null);
}

/** What Helm says of values that it refuses. */
export function refusal(values: object): string {
  const { ok, said } = template(values);
  if (ok) throw new Error('expected a refusal');
  return said;
}

const secrets = {
  existingSecret: '',
  values: {
    REPLICATE_API_TOKEN: 'r8_of-the-chart',
    API_KEYS: 'first-key-of-the-chart, second-key-of-the-chart',
    AWS_ACCESS_KEY_ID: 'access-key-of-the-chart',
    AWS_SECRET_ACCESS_KEY: 'secret-key-of-the-chart',
    TEMPORAL_API_KEY: 'temporal-key-of-the-chart',
  },
};

export const SETS: Record<string, object> = {
  'the defaults': {},
  'everything switched on': {
    fullnameOverride: 'videos',
    image: { repository: 'registry.example/clips', tag: '2.0.0' },
    imagePullSecrets: [{ name: 'registry' }],
    config: {
      TEMPORAL_ADDRESS: 'video.a1b2c.tmprl.cloud:7233',
      TEMPORAL_NAMESPACE: 'video.a1b2c',
      TEMPORAL_TASK_QUEUE: 'trailers',
      STORAGE_URL: 's3://clips/production',
      S3_ENDPOINT: 'http://minio.storage:9000',
      S3_FORCE_PATH_STYLE: true,
      AWS_REGION: 'eu-central-1',
      REPLICATE_CREATES_PER_MINUTE: 300,
      REPLICATE_WEBHOOK_URL: 'https://clips.example/webhooks/replicate',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.monitoring:4318',
      WORKER_GRACE: 60,
      LOG_LEVEL: 'warn',
    },
    secrets,
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/clips' } },
    api: {
      autoscaling: { enabled: true },
      podLabels: { team: 'video' },
      nodeSelector: { disk: 'fast' },
      tolerations: [{ key: 'video', operator: 'Exists' }],
      extraVolumes: [{ name: 'models', configMap: { name: 'models' } }],
      extraVolumeMounts: [{ name: 'models', mountPath: '/models' }],
      extraEnv: [{ name: 'MODEL_CATALOGUE', value: '/models/models.json' }],
    },
    worker: {
      terminationGracePeriodSeconds: 90,
      autoscaling: { type: 'keda', maxReplicas: 20 },
      versioning: {
        enabled: true,
        previous: [{ buildId: '1.9.0+build.7', tag: '1.9.0', replicas: 1 }],
      },
      priorityClassName: 'video',
      podAnnotations: { 'example.com/note': 'worker' },
    },
    ingress: {
      enabled: true,
      className: 'nginx',
      hosts: ['clips.example'],
      tls: [{ secretName: 'clips-tls', hosts: ['clips.example'] }],
    },
    networkPolicy: {
      apiFrom: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }],
      extraEgress: [{ ports: [{ protocol: 'TCP', port: 8443 }] }],
    },
    monitoring: { enabled: true, rules: { enabled: true }, dashboard: { enabled: true } },
  },
  'a HorizontalPodAutoscaler for workers': {
    worker: { autoscaling: { type: 'hpa' } },
    monitoring: { enabled: true },
  },
  'an external metric for workers': {
    worker: {
      autoscaling: {
        type: 'hpa',
        hpa: {
          metrics: [
            {
              type: 'External',
              external: {
                metric: { name: 'paid_backlog' },
                target: { type: 'AverageValue', averageValue: '200' },
              },
            },
          ],
        },
      },
    },
  },
  'a shared claim instead of a bucket': {
    config: { STORAGE_URL: '' },
    dataDir: { existingClaim: 'clips-nfs' },
  },
  'everything switched off': {
    api: { podDisruptionBudget: { enabled: false }, topologySpread: false },
    worker: { podDisruptionBudget: { enabled: false }, topologySpread: false },
    serviceAccount: { create: false },
    networkPolicy: { enabled: false },
  },
};
