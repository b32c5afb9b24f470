/**
 * The same place for others: programs of bench/peers in the style of their documentation, each with the server it needs, against a
 * provider of its own. They tell their news on stdout; their packages are installed there alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../src/http/ports.js';
import { eventually } from '../../test/support/eventually.js';
import type { Use } from './machine-use.js';
import { promptsOf } from './order.js';
import type { Heard, Order } from './order.js';
import { Program } from './program.js';
import { Provider } from './provider.js';
import { HOST, inFolder, strike } from './stand.js';
import type { Stand } from './stand.js';

const inPeers = (name: string): string =>
  fileURLToPath(new URL(`../peers/${name}`, import.meta.url));

/** The server under a peer, and the variables by which its program finds it. */
interface Engine {
  server: Program | null;
  env: Record<string, string>;
}

interface Peer {
  title: string;
  script: string;
  startEngine(folder: string): Promise<Engine>;
  /** Are jobs of a killed program taken up again? If not, the client posts them once more. */
  resumes: boolean;
  /** Why it cannot run here; null: it can. */
  missing(): string | null;
  /** Of its packages and its server, by name. */
  versions(): Record<string, string>;
}

export const PEERS: Readonly<Record<string, Peer>> = {
  script: {
    title: 'p-limit script',
    script: 'script.mjs',
    startEngine: () => Promise.resolve({ server: null, env: {} }),
    resumes: false,
    missing: () => null,
    versions: () => packages('p-limit', 'p-retry', 'replicate'),
  },
  restate: {
    title: 'Restate',
    script: 'restate.mjs',
    startEngine: startRestate,
    resumes: true,
    missing: () =>
      existsSync(RESTATE)
        ? null
        : `Restate publishes no server for ${process.platform}-${process.arch} on npm.`,
    versions: () => packages('@restatedev/restate-server', '@restatedev/restate-sdk'),
  },
  bullmq: {
    title: 'BullMQ',
    script: 'bullmq.mjs',
    startEngine: startRedis,
    resumes: true,
    missing: () =>
      redis() === null
        ? 'BullMQ needs redis-server on the PATH (apt-get install redis-server), and was left out.'
        : null,
    versions: () => ({ ...packages('bullmq'), ...redisVersion() }),
  },
};

const packages = (...names: string[]): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => {
      const text = readFileSync(inPeers(`node_modules/${name}/package.json`), 'utf8');
      return [name, (JSON.parse(text) as { version: string }).version];
    }),
  );

const RESTATE = inPeers(
  `node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
);

async function startRestate(folder: string): Promise<Engine> {
  const [node, ingress, admin, service] = (await freePorts(HOST, 4)).map(String) as [
    string,
    string,
    string,
    string,
  ];
  const urls = {
    ADMIN_URL: `http://${HOST}:${admin}`,
    INGRESS_URL: `http://${HOST}:${ingress}`,
  };
  const server = await Program.start({
    name: 'restate-server',
    words: [RESTATE],
    env: {
      RESTATE_BASE_DIR: path.join(folder, 'restate'),
      RESTATE_NODE_NAME: 'bench',
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_IP: HOST,
      RESTATE_BIND_PORT: node,
      RESTATE_INGRESS__BIND_PORT: ingress,
      RESTATE_ADMIN__BIND_PORT: admin,
      RESTATE_DISABLE_TELEMETRY: 'true',
    },
    ready: /./,
  });
  for (const url of [`${urls.ADMIN_URL}/health`, `${urls.INGRESS_URL}/restate/health`]) {
    await eventually(`an answer of ${url}`, async () => {
      const answers = await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      );
      return { done: answers, value: null };
    });
  }
  return { server, env: { ...urls, SERVICE_PORT: service } };
}

/** Of the PATH. */
function redis(): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, 'redis-server')).find(existsSync) ?? null;
}

function redisVersion(): Record<string, string> {
  const file = redis();
  if (file === null) return {};
  const text = execFileSync(file, ['--version'], { encoding: 'utf8' });
  return { Redis: /v=(\S+)/.exec(text)?.[1] ?? text.trim() };
}

/** As durable as Redis is usually run for queues: each second to the disk. */
async function startRedis(folder: string): Promise<Engine> {
  const [port] = (await freePorts(HOST, 1)).map(String) as [string];
  const data = path.join(folder, 'redis');
  await mkdir(data);
  const server = await Program.start({
    name: 'redis-server',
    words: [
      redis() ?? 'redis-server',
      ...['--port', port, '--bind', HOST, '--dir', data],
      // Nothing to save at its end, which it would refuse while its folder is gone.
      ...['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
    ],
    env: {},
    ready: /Ready to accept connections/,
  });
  return { server, env: { REDIS_PORT: port } };
}

const NOTHING: Use = { cpu: 0, resident: 0 };

export const startPeerStand = (peer: Peer): Promise<Stand> =>
  inFolder(async (folder, closers) => {
    const [providerPort, port] = (await freePorts(HOST, 2)) as [number, number];
    const provider = await Provider.start(providerPort, path.join(folder, 'provider'));
    closers.push(() => provider[Symbol.asyncDispose]());
    const { server, env } = await peer.startEngine(folder);
    if (server !== null) closers.push(() => server[Symbol.asyncDispose]());
    const program = await Program.start({
      name: peer.title,
      words: [process.execPath, inPeers(peer.script)],
      env: { ...env, PORT: String(port), OUT: folder, REPLICATE_BASE_URL: provider.url },
      ready: /^ready$/,
    });
    closers.push(() => program[Symbol.asyncDispose]());
    return {
      provider,
      resumes: peer.resumes,
      run: (order: Order) => follow(program, `http://${HOST}:${String(port)}`, order),
      parts: () => ({ program: program.use }),
      engine: () => server?.use ?? NOTHING,
      strike: (down: number) => strike(program, down),
    };
  });

/** A program that was started again may tell its news twice: the first counts. */
async function follow(program: Program, url: string, order: Order): Promise<Heard> {
  const heard: Heard = { posted: Date.now(), done: new Map(), stored: new Map(), ended: NaN };
  const ended = new Promise<void>((resolve) => {
    const onLine = (line: string): void => {
      const now = Date.now();
      const { id, done, stored } = newsIn(line);
      if (id !== order.id) return;
      if (done !== undefined && !heard.done.has(done)) heard.done.set(done, now);
      if (stored !== undefined && !heard.stored.has(stored)) heard.stored.set(stored, now);
      if (heard.stored.size < order.renders.length) return;
      heard.ended = now;
      program.lines.off('line', onLine);
      resolve();
    };
    program.lines.on('line', onLine);
  });
  const { id, at_once } = order;
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify({ id, prompts: promptsOf(order), at_once }),
  });
  if (!response.ok) throw new Error(`${id}: ${await response.text()}`);
  await ended;
  return heard;
}

interface News {
  id?: string;
  done?: number;
  stored?: number;
}

function newsIn(line: string): News {
  try {
    return JSON.parse(line) as News;
  } catch {
    return {}; // not to us
  }
}
