/** The ports that embedded parts listen on: those that were set, or, for short-lived stacks, any free ones. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { ConfigError } from '../config.js';

export interface WantedPort {
  /** The setting that names it. */
  variable: string;
  host: string;
  port: number;
}

/** Free ports, all different: they are held together, and for a minute the system assigns them to no other program. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const held: Held[] = [];
  try {
    while (held.length < count) held.push(await hold(host, 0));
    for (const { port } of held) await reserve(host, port);
    return held.map(({ port }) => port);
  } finally {
    await Promise.all(held.map(({ release }) => release()));
  }
}

/** The port that was set; rejects with a ConfigError when it cannot be listened on. */
export async function portAsSet(wanted: WantedPort): Promise<number> {
  try {
    return await listenOnce(wanted.host, wanted.port);
  } catch (error) {
    throw portRefusal(error, wanted) ?? error;
  }
}

/** The default port where it is free, else any free one. A port that was set is never exchanged for another. */
export const portWhereFree = (wanted: WantedPort, defaultPort: number): Promise<number> =>
  wanted.port === defaultPort
    ? listenOnce(wanted.host, wanted.port).catch(() => anyFreePort(wanted.host))
    : portAsSet(wanted);

const anyFreePort = async (host: string): Promise<number> => (await freePorts(host, 1))[0] ?? 0;

async function listenOnce(host: string, wanted: number): Promise<number> {
  const { port, release } = await hold(host, wanted);
  await release();
  return port;
}

interface Held {
  port: number;
  release: () => Promise<void>;
}

/**
 * Linux may assign a port that was just released to the next program that listens on port 0 or connects. A closed connection
 * prevents that for a minute (TIME_WAIT), but does not prevent listening on this very port. The `temporal` program finds its
 * free ports in the same way.
 */
async function reserve(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  // The end that closes first is in TIME_WAIT: the server's, in `hold`.
  await once(socket.resume(), 'close');
}

function hold(host: string, port: number): Promise<Held> {
  const server = createServer((socket) => socket.end());
  const release = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      resolve({ port: (server.address() as AddressInfo).port, release });
    });
  });
}

const REFUSALS: Readonly<Record<string, (wanted: WantedPort) => string>> = {
  EADDRINUSE: ({ variable, host, port }) =>
    `${variable}: expected a free port, got ${String(port)}, which another program uses on ${host}; stop that program or set ${variable}.`,
  EACCES: ({ variable, port }) =>
    `${variable}: expected a port that this user may open, got ${String(port)}; set ${variable} to one above 1023.`,
  EADDRNOTAVAIL: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
  ENOTFOUND: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
  EAI_AGAIN: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
};

/** Why a server cannot listen on its port; null for errors that no setting corrects. */
export function portRefusal(error: unknown, wanted: WantedPort): ConfigError | null {
  const { code } = error as NodeJS.ErrnoException;
  const messageFor = REFUSALS[code ?? ''];
  return messageFor === undefined ? null : new ConfigError(messageFor(wanted), { cause: error });
}

/**
 * The URLs of the simulator's output files hold its port, so a stack that resumes a job needs its simulator on the same port.
 */
export async function rememberedSimulatorPort(dataDir: string): Promise<number | null> {
  const text = await readFile(portFile(dataDir), 'utf8').catch(() => '');
  const port = Number(text.trim());
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

export const rememberSimulatorPort = (dataDir: string, port: number): Promise<void> =>
  writeFile(portFile(dataDir), `${String(port)}\n`);

const portFile = (dataDir: string): string => path.join(dataDir, 'simulator.port');

/** The URL at which this machine reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const bare = reachable.replace(/^\[|\]$/g, '');
  return `http://${bare.includes(':') ? `[${bare}]` : bare}:${String(port)}`;
}
