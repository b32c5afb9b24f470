/**
 * What the hosts of a chaos run share, as in production: Temporal's server on PostgreSQL, and a bucket. Each is a process in the
 * namespace of the services that may be killed and comes again.
 */
import { execFile } from 'node:child_process';
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findServerProgram } from '#setup/temporal-server.mjs';
import { BUCKET_SERVER } from '#setup/test-extras.mjs';
import { connectTemporal } from '../../src/adapters/temporal/connection.js';
import { addSearchAttributes } from '../../src/commands/search-attributes.js';
import { UserError } from '../../src/commands/process.js';
import { Target } from '../target.js';
import type { Network } from './network.js';

export type ServiceName = 'temporal' | 'database' | 'bucket';

export interface Services {
  processes: Record<ServiceName, Target>;
  /** `host:port` */
  temporal_address: string;
  /** What a process needs to keep its files there. */
  bucket_environment: Record<string, string>;
  /** Where the bucket's server keeps the objects, as files. */
  bucket_folder: string;
  /** A file with a line for each request to the bucket. */
  bucket_requests: string;
  /** What the server counts, as Prometheus reads it. */
  temporal_metrics: string;
}

interface Options {
  network: Network;
  folder: string;
  /** Path of the `temporal` program. */
  cli: string;
  log: (line: string) => void;
  /** Whatever was started, for its end. */
  started: Target[];
}

const run = promisify(execFile);
const PORTS = { temporal: 7233, database: 5432, bucket: 9000, metrics: 9090 } as const;
const REQUESTS = 'bucket-requests.log';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** PostgreSQL does not run as root. */
const DATABASE_USER = 'postgres';
const DATABASES = [
  ['temporal', 'temporal'],
  ['temporal_visibility', 'visibility'],
] as const;
const [ACCESS_KEY, SECRET_KEY, REGION, BUCKET, PREFIX] = [
  'chaos-access',
  'chaos-secret-key',
  'us-east-1',
  'clips',
  'chaos',
];

export async function startServices(options: Options): Promise<Services> {
  const { network, folder, log, started } = options;
  const bucket = await bucketOf(options);
  const database = await databaseOf(options);
  started.push(database.target, bucket.target);
  await database.target.start();
  await prepareSchema(database, network);
  const temporal = await temporalOf(options);
  started.push(temporal);
  await Promise.all([bucket.target.start(), temporal.start()]);
  const temporal_address = `${network.addressOf('temporal')}:${String(PORTS.temporal)}`;
  await prepareNamespace(options, temporal_address);
  log(`Temporal on PostgreSQL at ${temporal_address}, bucket at ${bucket.endpoint}`);
  return {
    processes: { temporal, database: database.target, bucket: bucket.target },
    temporal_address,
    bucket_environment: {
      STORAGE_URL: `s3://${BUCKET}/${PREFIX}`,
      S3_ENDPOINT: bucket.endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    },
    bucket_folder: path.join(folder, 'buckets', BUCKET, PREFIX),
    bucket_requests: path.join(folder, REQUESTS),
    temporal_metrics: `http://${network.addressOf('temporal')}:${String(PORTS.metrics)}/metrics`,
  };
}

async function bucketOf({ network, folder, log }: Options) {
  const root = path.join(folder, 'buckets');
  await mkdir(path.join(root, BUCKET), { recursive: true });
  const address = `${network.addressOf('bucket')}:${String(PORTS.bucket)}`;
  const target = new Target(
    'bucket',
    [
      ...[BUCKET_SERVER, '--port', address, '--region', REGION, '--keep-alive'],
      ...['--access-log', path.join(folder, REQUESTS), 'posix', root],
    ],
    { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    { inside: network.inside('services'), supervised: log },
  );
  return { target, endpoint: `http://${address}` };
}

interface Database {
  target: Target;
  programs: string;
}

async function databaseOf({ network, folder, log }: Options): Promise<Database> {
  const programs = await postgresPrograms();
  const data = path.join(folder, 'database');
  const { uid, gid } = await idsOf(DATABASE_USER);
  await mkdir(data);
  await chown(data, uid, gid);
  const as = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  await run('setpriv', [
    ...[...as, path.join(programs, 'initdb'), '-D', data, '-U', 'temporal'],
    ...['--auth', 'trust', '--encoding', 'UTF8', '--no-sync'],
  ]);
  const host = network.addressOf('database');
  await writeFile(path.join(data, 'pg_hba.conf'), `host all all ${host}/24 trust\n`);
  const target = new Target(
    'PostgreSQL',
    [
      ...['/usr/bin/setpriv', ...as, path.join(programs, 'postgres'), '-D', data, '-h', host],
      ...['-p', String(PORTS.database), '-k', '', '-c', 'max_connections=80'],
    ],
    { PATH, LC_ALL: 'C.UTF-8' },
    { inside: network.inside('services'), supervised: log },
  );
  return { target, programs };
}

/** Of the latest PostgreSQL that Debian has put here. */
async function postgresPrograms(): Promise<string> {
  const base = '/usr/lib/postgresql';
  const versions = await readdir(base).catch(() => []);
  const latest = versions
    .map(Number)
    .filter(Boolean)
    .toSorted((a, b) => b - a)[0];
  if (latest === undefined) {
    throw new UserError(
      'npm run chaos:hosts: skipped, because Temporal keeps its jobs in PostgreSQL here, and there is none; apt-get install postgresql.',
    );
  }
  return path.join(base, String(latest), 'bin');
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (which) => Number((await run('id', [which, user])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

async function prepareSchema({ programs }: Database, network: Network): Promise<void> {
  const host = network.addressOf('database');
  const port = String(PORTS.database);
  const inside = async (program: string, words: readonly string[]): Promise<void> => {
    const [ip = '', ...rest] = network.inside('services');
    await run(ip, [...rest, program, ...words]);
  };
  await patiently('PostgreSQL', () =>
    inside(path.join(programs, 'pg_isready'), ['-q', '-h', host, '-p', port]),
  );
  const tool = found('temporal-sql-tool');
  for (const [name, schema] of DATABASES) {
    const sql = (...words: string[]): Promise<void> =>
      inside(tool, [
        ...['--plugin', 'postgres12', '--ep', host, '-p', port, '-u', 'temporal', '--db', name],
        ...words,
      ]);
    await sql('create');
    await sql('setup-schema', '-v', '0.0');
    await sql('update-schema', '-s', `postgresql/v12/${schema}`);
  }
}

function found(name: Parameters<typeof findServerProgram>[0]): string {
  const file = findServerProgram(name);
  if (file === null) {
    throw new UserError(`npm run chaos:hosts: expected ${name}, found none; start through npm.`);
  }
  return file;
}

/** As docker-compose.temporal.yml configures it, on ports of its own namespace. */
async function temporalOf({ network, folder, log }: Options): Promise<Target> {
  const ip = network.addressOf('temporal');
  const store = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${network.addressOf('database')}:${String(PORTS.database)}`,
      connectProtocol: 'tcp',
      user: 'temporal',
      maxConns,
      maxIdleConns: maxConns,
    },
  });
  const service = (grpcPort: number) => ({
    rpc: { grpcPort, membershipPort: grpcPort - 300, bindOnIP: ip },
  });
  const dynamic = path.join(folder, 'dynamic-config.yaml');
  const one = [{ value: 1 }];
  await writeFile(
    dynamic,
    JSON.stringify({
      'matching.numTaskqueueReadPartitions': one,
      'matching.numTaskqueueWritePartitions': one,
      'matching.enableFairness': [{ value: true }],
      'system.enableNexus': [{ value: false }],
    }),
  );
  const config = path.join(folder, 'temporal.yaml');
  await writeFile(
    config,
    // JSON is YAML.
    JSON.stringify({
      log: { stdout: true, level: 'error' },
      persistence: {
        defaultStore: 'jobs',
        visibilityStore: 'lists',
        numHistoryShards: 4,
        datastores: { jobs: store('temporal', 20), lists: store('temporal_visibility', 5) },
      },
      global: {
        membership: { maxJoinDuration: '30s', broadcastAddress: ip },
        metrics: { prometheus: { listenAddress: `${ip}:${String(PORTS.metrics)}` } },
      },
      services: {
        frontend: service(PORTS.temporal),
        history: service(7234),
        matching: service(7235),
        worker: service(7239),
      },
      clusterMetadata: {
        enableGlobalNamespace: false,
        failoverVersionIncrement: 10,
        masterClusterName: 'active',
        currentClusterName: 'active',
        clusterInformation: {
          active: {
            enabled: true,
            initialFailoverVersion: 1,
            rpcName: 'frontend',
            rpcAddress: `${ip}:${String(PORTS.temporal)}`,
          },
        },
      },
      dcRedirectionPolicy: { policy: 'noop' },
      publicClient: { hostPort: `${ip}:${String(PORTS.temporal)}` },
      dynamicConfigClient: { filepath: dynamic, pollInterval: '60s' },
    }),
  );
  return new Target(
    'Temporal',
    [found('temporal-server'), '--config-file', config, '--allow-no-auth', 'start'],
    { HOME: folder, PATH },
    { inside: network.inside('services'), supervised: log },
  );
}

async function prepareNamespace({ cli }: Options, address: string): Promise<void> {
  const temporal = (...words: string[]): Promise<unknown> =>
    run(cli, [...words, '--address', address]);
  await patiently('Temporal', () => temporal('operator', 'cluster', 'health'));
  await patiently('its namespace', () =>
    temporal('operator', 'namespace', 'create', '--namespace', 'default', '--retention', '720h'),
  );
  // The server notices a new namespace some seconds after it was registered.
  await patiently('its lists', () => temporal('workflow', 'list', '--limit', '1'));
  const connection = await connectTemporal({ address });
  try {
    await addSearchAttributes(connection, 'default');
  } finally {
    await connection.close();
  }
}

const PATIENCE_MS = 120_000;

async function patiently(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const limit = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > limit) {
        throw new Error(`expected ${what} to be ready within ${String(PATIENCE_MS / 1000)} s`, {
          cause: error,
        });
      }
    }
    await sleep(500);
  }
}
