/**
 * A real S3 server of a test's own, versitygw over a folder, on a random port of loopback: killed, started again, stopped in its
 * tracks and made read-only as a test likes. Its bucket is called `clips`.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { BUCKET_SERVER } from '../../setup/test-extras.mjs';
import { freePorts } from '../../src/http/ports.js';
import { eventually } from './eventually.js';
import { testFolder } from './test-folder.js';

export const BUCKET = 'clips';

/** Of every such server, and, once one was started, of clients that the test process makes itself. */
const CREDENTIALS = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test-access-key',
  AWS_SECRET_ACCESS_KEY: 'test-secret-key',
};

export interface Bucket extends AsyncDisposable {
  readonly endpoint: string;
  readonly port: number;
  /** Where its objects are files. */
  readonly folder: string;
  readonly pid: number;
  /** The environment of a process that keeps everything below the prefix. */
  env(prefix?: string): Record<string, string>;
  kill(): Promise<void>;
  /** On the same port, over the same folder. */
  restart(options?: { readonly?: boolean }): Promise<void>;
  /** Connections open, and nothing answers. */
  suspend(): Promise<void>;
  resume(): void;
}

export async function startBucket(): Promise<Bucket> {
  const own = testFolder('bucket');
  const root = path.join(own.path, 'buckets');
  mkdirSync(path.join(root, BUCKET), { recursive: true });
  const log = path.join(own.path, 'log');
  const [port = 0] = await freePorts('127.0.0.1', 1);
  const endpoint = `http://127.0.0.1:${String(port)}`;
  let server: ChildProcess | null = null;

  async function start({ readonly = false } = {}): Promise<void> {
    const output = openSync(log, 'a');
    const words = ['--port', `127.0.0.1:${String(port)}`, '--region', 'us-east-1', '--keep-alive'];
    if (readonly) words.push('--readonly');
    const child = spawn(BUCKET_SERVER, [...words, 'posix', root], {
      env: {
        ROOT_ACCESS_KEY: CREDENTIALS.AWS_ACCESS_KEY_ID,
        ROOT_SECRET_KEY: CREDENTIALS.AWS_SECRET_ACCESS_KEY,
      },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    server = child;
    await eventually('the S3 server to listen', async () => {
      if (child.exitCode !== null) throw new Error(`no S3 server: ${readFileSync(log, 'utf8')}`);
      return { done: await listens(port), value: null };
    });
  }

  async function kill(): Promise<void> {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  Object.assign(process.env, CREDENTIALS);
  await start();
  return {
    endpoint,
    port,
    folder: path.join(root, BUCKET),
    get pid() {
      return server?.pid ?? 0;
    },
    env: (prefix = 'prefix') => ({
      STORAGE_URL: `s3://${BUCKET}/${prefix}`,
      S3_ENDPOINT: endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      ...CREDENTIALS,
    }),
    kill,
    async restart(options = {}) {
      await kill();
      await start(options);
    },
    async suspend() {
      server?.kill('SIGSTOP');
      await eventually('the S3 server to stand still', () => {
        const [, state] = /\) (\w)/.exec(statOf(server?.pid ?? 0)) ?? [];
        return Promise.resolve({ done: state === 'T', value: state });
      });
    },
    resume: () => server?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      own.remove();
    },
  };
}

const statOf = (pid: number): string => readFileSync(`/proc/${String(pid)}/stat`, 'utf8');

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });

export const addressOf = ({ endpoint }: Pick<Bucket, 'endpoint'>) => ({
  endpoint,
  force_path_style: true,
});
