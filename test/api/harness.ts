/** The real app around a fake Temporal, a real data folder and a real socket; and a reader of event streams. */
import http from 'node:http';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/api/app.js';
import type { ApiDeps, ApiSettings, App } from '../../src/api/app.js';
import { comparing, estimating } from '../../src/api/jobs/estimating.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { createSseParser } from '../../src/client/sse-parser.js';
import type { SseFrame } from '../../src/client/sse-parser.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import type { Archive } from '../../src/api/jobs/job-archive.js';
import { FakeJobs } from './fake-jobs.js';
import { CONTEXT } from '../support/checked-plans.js';
import { checkPlan } from '../../src/domain/plan/check-plan.schema.js';
import { testFolder, type TestFolder } from '../support/test-folder.js';
import { archiveIn } from '../support/stores.js';

export interface Harness {
  app: App;
  jobs: FakeJobs;
  archive: Archive;
  folder: TestFolder;
  data_dir: string;
  url: string;
}

/** `whsec_` and the base64 of anything: what the harness's provider signs with, unless a test says otherwise. */
export const SECRET = `whsec_${Buffer.from('the secret of the harness').toString('base64')}`;

type World = Partial<
  Pick<ApiDeps, 'codec' | 'webhookSecret' | 'hintPoll' | 'estimate' | 'store' | 'archive'>
>;

/** `before`: an API that was closed, whose jobs, data folder and port the next one has. */
export async function harness(
  settings: Partial<ApiSettings> = {},
  world: World = {},
  before: Harness | null = null,
): Promise<Harness> {
  const folder = before?.folder ?? testFolder('api');
  const data_dir = folder.path;
  const jobs = before?.jobs ?? new FakeJobs();
  const archive = archiveIn(data_dir);
  const app = await buildApp({
    jobs,
    archive,
    store: createDirectoryStore(data_dir),
    checkPlan: (value) => checkPlan(value, CONTEXT),
    estimate: estimating(CONTEXT),
    compare: comparing(CONTEXT),
    models: [...CATALOGUE.values()],
    webhookSecret: async () => ({ type: 'found', secret: SECRET }),
    hintPoll: async () => undefined,
    ...world,
    settings: {
      version: '0.0.0',
      simulated: true,
      namespace: 'default',
      api_keys: [],
      ui_url: null,
      log_level: 'error',
      watch_every_ms: 10,
      watch_grace_ms: 50,
      page_dir: path.join(data_dir, 'page'),
      ...settings,
    },
  });
  const url = await app.listen({
    host: '127.0.0.1',
    port: before === null ? 0 : Number(new URL(before.url).port),
  });
  onTestFinished(async () => {
    await app.close();
    folder.remove();
  });
  return { app, jobs, archive, folder, data_dir, url };
}

interface Reader {
  status: number;
  headers: http.IncomingHttpHeaders;
  frames: SseFrame[];
  /** Resolves when the frames read so far satisfy it; rejects when the stream ends first. */
  until(isTrue: (frames: SseFrame[]) => boolean): Promise<SseFrame[]>;
  /** Resolves when the server has ended the stream (true), or it was cut (false). */
  ended: Promise<boolean>;
  response: http.IncomingMessage;
  close(): void;
}

export const ids = (frames: SseFrame[]): number[] =>
  frames.flatMap(({ id }) => (id === null ? [] : [Number(id)]));

/** Opens a stream and reads it, unless `paused`. */
export function read(
  url: string,
  { headers = {}, paused = false }: { headers?: Record<string, string>; paused?: boolean } = {},
): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent: false }, (response) => {
      const frames: SseFrame[] = [];
      const parser = createSseParser();
      const watchers = new Set<() => void>();
      let over = false;
      const ended = new Promise<boolean>((settle) => {
        response.on('end', () => {
          settle(true);
        });
        response.on('close', () => {
          over = true;
          settle(response.complete);
          for (const check of [...watchers]) check();
        });
      });
      response.on('error', () => undefined);
      if (!paused) {
        response.setEncoding('utf8').on('data', (text: string) => {
          frames.push(...parser.push(text));
          for (const check of [...watchers]) check();
        });
      }
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        frames,
        ended,
        response,
        until: (isTrue) =>
          new Promise((settle, refuse) => {
            const look = (): void => {
              if (isTrue(frames)) {
                watchers.delete(look);
                settle(frames);
              } else if (over) {
                watchers.delete(look);
                refuse(new Error(`the stream ended with ${JSON.stringify(frames).slice(0, 2000)}`));
              }
            };
            watchers.add(look);
            look();
          }),
        close: () => {
          request.destroy();
        },
      });
    });
    request.on('error', reject);
  });
}
