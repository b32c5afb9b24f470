/** Which ports the embedded parts listen on: as they were set, or, for short-lived stacks, where there is room. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { ConfigError } from '../config.js';

export interface Wanted {
  /** The setting that a person would change. */
  variable: string;
  host: string;
  port: number;
}

/** Ports nobody listens on, all different: held together, and for a minute given to nobody who asks for any port. */
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

/** The port as it was set, or one sentence. */
export async function portAsSet(wanted: Wanted): Promise<number> {
  try {
    return await listenOnce(wanted.host, wanted.port);
  } catch (error) {
    throw portRefusal(error, wanted) ?? error;
  }
}

/** The usual port where it is free, else any free one; a port that somebody chose is never exchanged. */
export const portWhereFree = (wanted: Wanted, usual: number): Promise<number> =>
  wanted.port === usual
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
 * A port that was just released is the next one that Linux may give to whoever listens on port 0 or connects. A closed
 * connection keeps it from that for a minute (TIME_WAIT), and keeps nobody from it who asks for this port. The
 * `temporal` program finds its own free ports in the same way.
 */
async function reserve(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  // The end that closes first is the one that waits: the server's, in `hold`.
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

const REFUSALS: Readonly<Record<string, (wanted: Wanted) => string>> = {
  EADDRINUSE: ({ variable, host, port }) =>
    `${variable}: expected a free port, got ${String(port)}, which another program uses on ${host}; stop that program or set ${variable}.`,
  EACCES: ({ variable, port }) =>
    `${variable}: expected a port that this user may open, got ${String(port)}; set ${variable} to one above 1023.`,
  EADDRNOTAVAIL: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
  ENOTFOUND: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
  EAI_AGAIN: ({ host }) => `HOST: expected an address of this machine, got "${host}".`,
};

/** Why a server may not listen where it was told to; null for what no setting mends. */
export function portRefusal(error: unknown, wanted: Wanted): ConfigError | null {
  const { code } = error as NodeJS.ErrnoException;
  const why = REFUSALS[code ?? ''];
  return why === undefined ? null : new ConfigError(why(wanted), { cause: error });
}

/**
 * Files that the simulator has delivered are fetched from where it was when it delivered them, so a stack that
 * goes on with a job needs its simulator on the same port.
 */
export async function rememberedSimulatorPort(dataDir: string): Promise<number | null> {
  const text = await readFile(portFile(dataDir), 'utf8').catch(() => '');
  const port = Number(text.trim());
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}

export const rememberSimulatorPort = (dataDir: string, port: number): Promise<void> =>
  writeFile(portFile(dataDir), `${String(port)}\n`);

const portFile = (dataDir: string): string => path.join(dataDir, 'simulator.port');

/** Where a server that listens on `host` is reached from this machine. */
export function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const bare = reachable.replace(/^\[|\]$/g, '');
  return `http://${bare.includes(':') ? `[${bare}]` : bare}:${String(port)}`;
}
