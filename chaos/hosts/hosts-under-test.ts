/**
 * Two hosts, each with a worker and an API and a disk of its own, which share Temporal and a bucket, and nothing else. The
 * provider is the simulator in this process, which is on a machine of its own as seen from the hosts.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { loadConfig } from '../../src/config.js';
import { packageFile } from '../../src/settings/package-files.js';
import { startSimulator } from '../../src/simulator/index.js';
import type { StackToAudit } from '../stack-to-audit.js';
import { Target } from '../target.js';
import type { WorkerSettings } from '../worker-process.js';
import { HOSTS, startNetwork } from './network.js';
import type { HostName, Network } from './network.js';
import { startServices } from './services.js';
import type { Services } from './services.js';

export interface Host {
  worker: Target;
  api: Target;
  api_url: string;
}

export interface HostsUnderTest extends StackToAudit, AsyncDisposable {
  network: Network;
  hosts: Record<HostName, Host>;
  services: Services;
  api_key: string;
}

interface Options {
  /** Path of the `temporal` program. */
  cli: string;
  /** Divides the provider's times. */
  speed: number;
  worker: WorkerSettings;
  log: (line: string) => void;
}

const API_KEY = 'chaos-key-of-both-hosts';
const API_PORT = 3000;

export async function startHosts(options: Options): Promise<HostsUnderTest> {
  const network = await startNetwork();
  const closers = [() => network.close()];
  const close = async (): Promise<void> => {
    for (const next of closers.splice(0).reverse()) await next();
  };
  try {
    return { ...(await startParts(network, options, closers)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startParts(
  network: Network,
  { cli, speed, worker, log }: Options,
  closers: (() => Promise<unknown>)[],
): Promise<Omit<HostsUnderTest, typeof Symbol.asyncDispose>> {
  // Not below TMPDIR, which the user of the database may not enter.
  const folder = await mkdtemp('/tmp/chaos-hosts-');
  closers.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  await chmod(folder, 0o711);
  const provider = network.addressOf('provider');
  const simulator = await startSimulator({
    host: provider,
    allowed_hosts: [provider],
    port: 0,
    speed,
    data_dir: path.join(folder, 'provider'),
    settings: { clip_max_width: 160 },
  });
  closers.push(() => simulator.close());
  const started: Target[] = [];
  closers.push(() => Promise.all(started.map((target) => target.close())));
  const services = await startServices({ network, folder, cli, log, started });
  const shared = {
    ...services.bucket_environment,
    REPLICATE_API_TOKEN: 'r8_chaos',
    REPLICATE_BASE_URL: `http://${provider}:${String(simulator.port)}/v1`,
    TEMPORAL_ADDRESS: services.temporal_address,
    API_KEYS: API_KEY,
    PORT: String(API_PORT),
    LOG_LEVEL: 'error',
  };
  const hostOf = async (name: HostName): Promise<Host> => {
    const own = path.join(folder, name);
    await mkdir(path.join(own, 'tmp'), { recursive: true });
    const address = network.addressOf(name);
    const env = {
      ...shared,
      HOST: address,
      DATA_DIR: path.join(own, 'data'),
      HOME: own,
      TMPDIR: path.join(own, 'tmp'),
      PATH: '/usr/local/bin:/usr/bin:/bin',
    };
    const where = { inside: network.inside(name), supervised: log };
    const program = (script: string, ...words: string[]): string[] => [
      process.execPath,
      packageFile(`dist/chaos/${script}`),
      ...words,
    ];
    return {
      worker: new Target(
        `worker of host ${name}`,
        program('worker-process.js', JSON.stringify(worker)),
        env,
        where,
      ),
      api: new Target(`API of host ${name}`, program('api-process.js'), env, where),
      api_url: `http://${address}:${String(API_PORT)}`,
    };
  };
  const [a, b] = await Promise.all([hostOf('a'), hostOf('b')]);
  const hosts = { a, b };
  const processes = HOSTS.flatMap((name) => [hosts[name].worker, hosts[name].api]);
  started.push(...processes);
  await Promise.all(processes.map((target) => target.start()));
  return {
    network,
    hosts,
    services,
    simulator: {
      control_url: `http://${provider}:${String(simulator.port)}/simulator`,
    },
    config: loadConfig({ TEMPORAL_ADDRESS: services.temporal_address }),
    // The bucket's server keeps objects as files: the audit reads them without the code that wrote them.
    store: createDirectoryStore(services.bucket_folder),
    api_url: a.api_url,
    api_key: API_KEY,
    processes,
  };
}
