/**
 * Every variable that is read here: its name, shape and default. What each is for stands in docs/settings.md and .env.example.
 * Connection settings of Temporal that the SDK reads by itself are in temporal-profile.ts, proxies in proxies.ts.
 */
import { z } from 'zod';
import { listensOnLoopback } from '../domain/values/loopback.js';
import { isProgram } from '#setup/programs.mjs';
import {
  bucketUrl,
  codecKeys,
  expected,
  host,
  hostName,
  hosts,
  keys,
  number,
  oneOf,
  origins,
  port,
  readAs,
  secret,
  temporalName,
  url,
  versionWord,
  wholeNumber,
  yesOrNo,
} from './shapes.js';
import type { Env } from './config-error.js';

function endsInV1(text: string): boolean {
  const { pathname, search } = new URL(text);
  return pathname.endsWith('/v1') && search === '';
}

const rows = z.object({
  REPLICATE_API_TOKEN: secret.optional(),
  REPLICATE_BASE_URL: url('http:', 'https:')
    .refine(endsInV1, expected('a URL that ends in /v1'))
    .optional(),
  REPLICATE_CREATES_PER_MINUTE: number(1, 600).default(500),
  REPLICATE_WEBHOOK_URL: url('https:').nullable().default(null),

  /** Decision 49. */
  VIDEO_GENERATOR_MODEL: z.string().default('prunaai/p-video'),
  VIDEO_GENERATOR_DURATION_BUFFER: number(1, 2).default(1.25),
  MODEL_CATALOGUE: z.string().nullable().default(null),
  REFERENCE_ALLOW_HOSTS: hosts.default([]),

  HOST: host.default('127.0.0.1'),
  PORT: port.default(3000),
  WORKER_HTTP_PORT: port.nullable().default(null),
  API_KEYS: keys.default([]),
  ALLOWED_HOSTS: hosts.default([]),
  API_REQUESTS_PER_MINUTE: number(60, 1_000_000).default(6_000),
  DATA_DIR: z.string().default('.data'),
  /** Region and credentials of a bucket are AWS_… variables, which the AWS SDK reads by itself. */
  STORAGE_URL: bucketUrl.nullable().default(null),
  S3_ENDPOINT: url('http:', 'https:').nullable().default(null),
  S3_FORCE_PATH_STYLE: yesOrNo.default(false),
  STORAGE_REDIRECTS: yesOrNo.default(false),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error').default('info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').nullable().default(null),

  /** Decision 62, and what was measured: docs/operations.md, "The size of a worker". */
  WORKER_SLOTS: wholeNumber(4, 2_000).default(200),
  WORKER_CACHED_WORKFLOWS: wholeNumber(10, 10_000).default(200),
  /** Below the shortest heartbeat time-out, 5 s, with room for a beat that is late. */
  WORKER_HEARTBEAT: number(0.2, 3).default(1),
  WORKER_GRACE: wholeNumber(5, 3_600).default(25),

  /** Decision 63. */
  CODEC_KEYS: codecKeys.default([]),
  CODEC_ORIGINS: origins.default([]),

  /** Decision 62. */
  TEMPORAL_DEPLOYMENT_NAME: versionWord(
    /^(?!__)[\w-]{1,200}$/,
    '1 to 200 characters A-Z a-z 0-9 _ -, not beginning with __',
  )
    .nullable()
    .default(null),
  TEMPORAL_BUILD_ID: versionWord(
    /^(?!__)[\w.+-]{1,128}$/,
    '1 to 128 characters A-Z a-z 0-9 _ . + -, not beginning with __',
  )
    .nullable()
    .default(null),

  /** Variables of the SDK that it does not check. Any other word than these means "no TLS" to it. */
  TEMPORAL_TLS: oneOf('true', 'false', '1', '0').optional(),
  TEMPORAL_TLS_SERVER_NAME: hostName.optional(),
  TEMPORAL_API_KEY: secret.optional(),
  /** The queues of activities have up to five characters more, and Temporal's databases keep 255. */
  TEMPORAL_TASK_QUEUE: temporalName(250).default('generate-clips'),
  TEMPORAL_PORT: port.default(7233),
  TEMPORAL_UI_PORT: port.default(8233),
  TEMPORAL_CLI: z
    .string()
    .refine(isProgram, expected('the path of a `temporal` program'))
    .nullable()
    .default(null),

  SIMULATOR_HOST: host.default('127.0.0.1'),
  SIMULATOR_PORT: port.default(8288),
  SIMULATOR_SPEED: number(0.1, 10_000).default(20),
});

const schema = rows
  .refine(({ API_KEYS, HOST }) => API_KEYS.length > 0 || listensOnLoopback(HOST), {
    path: ['API_KEYS'],
    error: ({ input }) =>
      `expected at least one key because HOST is "${(input as { HOST: string }).HOST}", which is not loopback; set API_KEYS, or HOST=127.0.0.1.`,
  })
  .refine(
    (given) => given.REPLICATE_BASE_URL === undefined || given.REPLICATE_API_TOKEN !== undefined,
    {
      path: ['REPLICATE_BASE_URL'],
      error:
        'expected REPLICATE_API_TOKEN beside it, got none; set the token, or unset both to use the simulator.',
    },
  )
  .refine((given) => given.TEMPORAL_DEPLOYMENT_NAME === null || given.TEMPORAL_BUILD_ID !== null, {
    path: ['TEMPORAL_DEPLOYMENT_NAME'],
    error:
      'expected TEMPORAL_BUILD_ID beside it, got none; set both to version the workers, or unset both.',
  })
  .refine((given) => given.TEMPORAL_BUILD_ID === null || given.TEMPORAL_DEPLOYMENT_NAME !== null, {
    path: ['TEMPORAL_BUILD_ID'],
    error:
      'expected TEMPORAL_DEPLOYMENT_NAME beside it, got none; set both to version the workers, or unset both.',
  })
  .refine((given) => !given.STORAGE_REDIRECTS || given.STORAGE_URL !== null, {
    path: ['STORAGE_REDIRECTS'],
    error:
      'expected STORAGE_URL beside it, got none: files of a folder have no address to redirect to; set STORAGE_URL, or unset STORAGE_REDIRECTS.',
  });

export type Variables = z.output<typeof rows>;

export type LogLevel = Variables['LOG_LEVEL'];

/** Throws the first mistake as a ConfigError. An empty or blank value counts as unset. */
export function readVariables(env: Env): Variables {
  const given = Object.keys(rows.shape).map((name) => [name, env[name]?.trim() || undefined]);
  return readAs(schema, Object.fromEntries(given));
}
