/**
 * With CODEC_KEYS, Temporal has no prompt: not in a history, its database, its files or the stored payloads. Who has the keys or
 * the codec endpoint reads all of it. With the real CLI, as people look at histories.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { withCodec } from '../../src/adapters/temporal/data-converter.js';
import { loadConfig } from '../../src/config.js';
import type { Job, JobSnapshot } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { temporalServer } from '../support/temporal-server.js';
import { World } from '../support/world.js';

/** In every prompt, every message of the provider that repeats one, and nowhere else. */
const SECRET = 'zeppelin';
const key = (id: string, byte: number): string =>
  `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const A = key('a', 1);
const B = key('b', 2);
const API_KEY = 'a-key-of-sixteen-characters';

const run = promisify(execFile);

/** What the CLI prints, whether or not it likes the end. */
async function cli(server: { address: string }, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await run(
    findTemporalCli() ?? '',
    [...words, '--address', server.address],
    { maxBuffer: 64 * 2 ** 20 },
  );
  return stdout + stderr;
}

/** With what is in base64 in it, as text. */
const readable = (json: string): string =>
  [
    json,
    ...[...json.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString('latin1'),
    ),
  ].join('\n');

async function bytesBelow(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const files = names.map((name) => path.join(folder, name));
  const texts = await Promise.all(
    files.map(async (file) => ((await stat(file)).isFile() ? readFile(file, 'latin1') : '')),
  );
  return texts.join('\n');
}

/** Larger than what stays in a history. */
const largePlan = (): Plan =>
  planOf(
    [
      `a ${SECRET} at dawn`,
      `[[flagged]] a ${SECRET} that lands`,
      ...Array.from({ length: 40 }, () => `[[invalid]] ${`${SECRET} `.repeat(1_000)}`),
    ],
    { dispatch: 'window', batch_size: 42, labels: ['airships'] },
  );

describe('a job whose payloads are encrypted', () => {
  let server: Awaited<ReturnType<typeof temporalServer>>;
  let world: World;
  let api: RunningApi;
  let jobId: string;
  let job: Job;
  let logs = '';

  const show = async (...words: string[]): Promise<string> =>
    readable(
      await cli(server, 'workflow', 'show', '--workflow-id', jobId, '--output', 'json', ...words),
    );

  beforeAll(async () => {
    const lines: string[] = [];
    server = await temporalServer((line) => lines.push(line));
    world = await World.create({
      address: server.address,
      env: { CODEC_KEYS: A, API_KEYS: API_KEY },
    });
    const worker = await world.startWorker();
    api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'error' } });
    const answer = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify(largePlan()),
    });
    jobId = ((await answer.json()) as Job).job_id;
    job = (await world.client.workflow.getHandle(jobId).result()) as Job;
    logs = worker.output + lines.join('\n');
  });
  afterAll(async () => {
    await api.close();
    await world[Symbol.asyncDispose]();
    await server.close();
  });

  it('ends as any other, and shows its prompts by HTTP', async () => {
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    const answer = await fetch(`${api.url}/v1/jobs/${jobId}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    const { clips } = (await answer.json()) as JobSnapshot;
    expect(clips[0]?.prompt).toContain(SECRET);
    expect(clips[1]?.error?.kind).toBe('flagged');
  });

  it('has no prompt in its history, and all of them through the codec endpoint', async () => {
    const sealed = await show();
    expect(sealed).toContain('generateClip');
    expect(sealed).not.toContain(SECRET);
    const open = await show(
      ...['--codec-endpoint', `${api.url}/codec`, '--codec-auth', `Bearer ${API_KEY}`],
    );
    expect(open).toContain(`a ${SECRET} at dawn`);
    expect(open).toContain(`a ${SECRET} that lands`);
  });

  it('has no prompt in the list, the database of Temporal, stored payloads, or a log', async () => {
    const list = readable(await cli(server, 'workflow', 'list', '--output', 'json'));
    expect(list).not.toContain(SECRET);
    const payloads = await bytesBelow(path.join(world.data_dir, 'payloads'));
    expect(payloads.length).toBeGreaterThan(200 * 1024);
    expect(payloads).not.toContain(SECRET);
    const database = await bytesBelow(server.data_dir);
    expect(database).toContain(jobId);
    expect(database).not.toContain(SECRET);
    expect(logs).not.toContain(SECRET);
  });

  it('is found by its search attributes, which are clear, and listed by the API with its prompt', async () => {
    const found = await cli(
      server,
      ...['workflow', 'list', '--query', `WorkflowId = '${jobId}'`, '--output', 'json'],
    );
    expect(found).toContain(jobId);
    const answer = await fetch(`${api.url}/v1/jobs?q=${SECRET}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    expect(JSON.stringify(await answer.json())).toContain(jobId);
  });

  it('hides no other job from the list of an API that has not its key', async () => {
    const { CODEC_KEYS: _, ...clear } = world.env;
    const other = await startApi(loadConfig(clear), { port: 0, settings: { log_level: 'error' } });
    await using _closed = { [Symbol.asyncDispose]: () => other.close() };
    const headers = { authorization: `Bearer ${API_KEY}` };
    const listed = await eventually('the job to be in the list', async () => {
      const answer = await fetch(`${other.url}/v1/jobs`, { headers });
      const value = await answer.text();
      return { done: answer.status === 200 && value.includes(jobId), value };
    });
    expect(listed).not.toContain('encrypted');
  });

  it('is readable after its key is no longer the first', async () => {
    const config = loadConfig({ ...world.env, CODEC_KEYS: `${B},${A}` });
    const later = await startApi(config, { port: 0, settings: { log_level: 'error' } });
    try {
      const decode = ['--codec-endpoint', `${later.url}/codec`];
      const open = await show(...decode, '--codec-auth', `Bearer ${API_KEY}`);
      expect(open).toContain(`a ${SECRET} at dawn`);
    } finally {
      await later.close();
    }
  });
});

describe('with CODEC_KEYS', () => {
  it('a plan from the CLI in clear JSON runs, and a refused one says why to those who have the key alone', async () => {
    await using world = await World.create({ env: { CODEC_KEYS: A } });
    await world.startWorker();
    const { address } = loadConfig(world.env).temporal;
    const start = async (plan: Plan): Promise<string> => {
      const id = `cli-${randomUUID()}`;
      await cli(
        { address },
        ...['workflow', 'start', '--type', 'generateClipsWorkflow', '--workflow-id', id],
        ...['--task-queue', world.task_queue, '--input', JSON.stringify(plan)],
      );
      return id;
    };
    const good = world.client.workflow.getHandle(await start(planOf(['a heron'])));
    expect(await good.result()).toMatchObject({ status: 'succeeded' });
    const bad = world.client.workflow.getHandle(
      await start(planOf(['a heron'], { model: `${SECRET}/none` })),
    );
    await expect(bad.result()).rejects.toMatchObject({
      cause: { type: 'InvalidPlan', message: expect.stringContaining(SECRET) as string },
    });
    const { events } = await bad.fetchHistory();
    const failed = events?.at(-1)?.workflowExecutionFailedEventAttributes?.failure;
    expect(failed).toMatchObject({
      message: 'Encoded failure',
      applicationFailureInfo: { type: 'InvalidPlan' },
    });
  });

  it('a job that began in clear text and one that began with another key continue', async () => {
    await using world = await World.create();
    const first = await world.startWorker();
    const hold = '[[hold:while-processing]] a heron';
    const clear = await world.start(planOf([hold]));
    await clear.until('a render', ({ clips }) => (clips[0]?.predictions.length ?? 0) > 0);
    await first.terminate();
    const second = await world.startWorker({ env: { CODEC_KEYS: A } });
    const reader = new Client({ connection: world.client.connection });
    await eventually('the job to be with the worker that has a key', async () => {
      const answer = await reader.workflow
        .getHandle(clear.handle.workflowId)
        .query('progress')
        .catch((error: unknown) => String(error));
      return { done: String(answer).includes('Unknown encoding'), value: answer };
    });
    await second.terminate();
    const ring = `${B},${A}`;
    const third = await world.startWorker({ env: { CODEC_KEYS: ring } });
    const keyed = new Client({
      connection: world.client.connection,
      dataConverter: withCodec({}, loadConfig({ CODEC_KEYS: ring }).codec_keys),
    });
    await world.control('POST', '/release', { all: true });
    const { status } = await eventually('the end of the job', async () => {
      const { status } = await keyed.workflow.getHandle(clear.handle.workflowId).describe();
      return { done: status.name !== 'RUNNING', value: { status: status.name } };
    });
    expect(status).toBe('COMPLETED');
    expect(third.isRunning).toBe(true);
    expect(await world.stats()).toMatchObject({ creates: 1, cancels: 0 });
  });

  it('a worker without the keys says which variable is missing, and the next one with them ends the job', async () => {
    await using world = await World.create({ env: { CODEC_KEYS: A } });
    const without = await world.startWorker({ env: { CODEC_KEYS: '' } });
    const job = await world.start(planOf(['a heron']));
    const { message } = await eventually('the worker to fail', async () => {
      const { raw } = await job.handle.describe();
      const value = { message: without.output, attempt: raw.pendingWorkflowTask?.attempt };
      return { done: value.message.includes('CODEC_KEYS'), value };
    });
    expect(message).toContain('CODEC_KEYS: expected key');
    await without.terminate();
    await world.startWorker();
    expect(await job.end()).toMatchObject({ status: 'succeeded' });
    expect(await world.stats()).toMatchObject({ creates: 1 });
  });
});
