/** Which ports the embedded parts listen on: as they were set, or, for short-lived stacks, where there is room. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { ConfigError } from './config.js';

/** A port nobody listens on; somebody else may take it a moment later. */
export async function freePort(host: string): Promise<number> {
  const port = await tryPort(host, 0);
  if (port === null) throw new Error(`expected a free port on ${host}, got none`);
  return port;
}

export const isFree = async (host: string, port: number): Promise<boolean> =>
  (await tryPort(host, port)) !== null;

const tryPort = (host: string, port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(null);
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : null);
      });
    });
  });

export interface Wanted {
  variable: string;
  host: string;
  port: number;
  /** The port that is used when nobody sets the variable. */
  usual: number;
}

export const portTaken = ({ variable, host, port }: Wanted): ConfigError =>
  new ConfigError(
    `${variable}: expected a free port, got ${String(port)}, which another program uses on ${host}; stop that program or set ${variable}.`,
  );

/** The port as it was set, or one sentence. */
export async function portAsSet(wanted: Wanted): Promise<number> {
  if (await isFree(wanted.host, wanted.port)) return wanted.port;
  throw portTaken(wanted);
}

/** The usual port where it is free, else any free one; a port that somebody chose is never exchanged. */
export const portWhereFree = async (wanted: Wanted): Promise<number> =>
  wanted.port === wanted.usual && !(await isFree(wanted.host, wanted.port))
    ? freePort(wanted.host)
    : portAsSet(wanted);

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
