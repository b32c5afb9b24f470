/**
 * Two releases at a time, on a real server, as during an upgrade: each reads what the other writes, also what it does not know
 * (decision 55). The newer release is this one with an event, a kind of failure and two fields more.
 */
import { readFileSync } from 'node:fs';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createArchiveJob } from '../../src/activities/archive-job.js';
import type { Deps } from '../../src/activities/deps.js';
import { createJobIndex, indexing } from '../../src/adapters/storage/job-index.js';
import { storedPayloads } from '../../src/adapters/storage/payload-files.js';
import { findOwnWorkflow } from '../../src/adapters/temporal/workflow-calls.js';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import { providerRefusesSignal, signalNamed } from '../../src/contract/workflow.js';
import { isFailureKind } from '../../src/domain/job/failure-kinds.js';
import type { FailureKind } from '../../src/domain/job/failure-kinds.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import { apply } from '../../src/domain/job/progress.js';
import { createClient } from '../../src/client/index.js';
import type { SseFrame } from '../../src/client/sse-parser.js';
import { sentenceOf } from '../../src/terminal/sentences.js';
import { bundlePath } from '../../src/worker.js';
import { read } from '../api/harness.js';
import { planOf } from '../support/plans.js';
import {
  attemptOver,
  withSideQueues,
  GOOD,
  playJob,
  predictionOf,
  realServer,
} from '../support/played.js';
import type { RealServer } from '../support/played.js';
import { World } from '../support/world.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { artifactsIn } from '../support/stores.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** A kind of failure that this release does not know. */
const COPYRIGHT = 'copyright' as FailureKind;

let server: RealServer;
beforeAll(async () => (server = await realServer(inject('temporalAddress'))));
afterAll(() => server.close());

const failedTasks = async (handle: WorkflowHandle): Promise<number> =>
  ((await handle.fetchHistory()).events ?? []).filter(
    (event) => event.workflowTaskFailedEventAttributes != null,
  ).length;

const ownWorkflow = (): WorkflowHandle =>
  server.client.workflow.getHandle(Context.current().info.workflowExecution?.workflowId ?? '');

describe('a workflow that is older than the activities of its job', () => {
  it('takes a kind of failure that it does not know by its flag, and keeps its name', async () => {
    const tried: string[] = [];
    const error = { kind: COPYRIGHT, message: 'sounds like a known melody', retryable: true };
    const { job, handle } = await playJob(server, planOf(['a', 'b', 'c']), {
      generateClip: (input) => {
        const { clip_index, failed_attempts } = input;
        tried.push(`${String(clip_index)}/${String(failed_attempts)}`);
        if (clip_index === 0) throw attemptOver(input, { ...error, retryable: false });
        if (clip_index === 1 && failed_attempts === 0) throw attemptOver(input, error);
        return GOOD.generateClip(input);
      },
    });
    expect(isFailureKind(COPYRIGHT)).toBe(false);
    expect(tried.toSorted()).toEqual(['0/0', '1/0', '1/1', '2/0']);
    expect(job.clips.map(({ status }) => status)).toEqual(['failed', 'succeeded', 'succeeded']);
    expect(job.clips[0]?.error).toEqual({ ...error, retryable: false });
    expect(await failedTasks(handle)).toBe(0);
  });

  it('warns of a signal that it does not know, and ignores fields that it does not know', async () => {
    const { job, handle } = await playJob(server, planOf(['a']), {
      generateClip: async (input) => {
        await ownWorkflow().signal(signalNamed('clipReviewed'), { clip_index: 0 });
        const prediction = { ...predictionOf(input), hue: 'blue' };
        const result = { ...(await GOOD.generateClip(input)), prediction, mood: 'calm' };
        return result;
      },
    });
    expect(job).toMatchObject({
      status: 'succeeded',
      warnings: [expect.stringContaining('"clipReviewed"')],
      clips: [{ predictions: [{ hue: 'blue' }] }],
    });
    expect(await failedTasks(handle)).toBe(0);
  });

  it('starts no further clip when the provider refuses for a reason that it does not know', async () => {
    const { job, handle } = await playJob(server, planOf(['a', 'b'], { batch_size: 1 }), {
      generateClip: async (input) => {
        const { clip_index } = input;
        const refusal = { clip_index, kind: COPYRIGHT, message: 'the account is under review' };
        await ownWorkflow().signal(providerRefusesSignal, refusal);
        return GOOD.generateClip(input);
      },
    });
    expect(job.clips).toMatchObject([
      { status: 'succeeded' },
      { status: 'canceled', error: { kind: COPYRIGHT, message: 'the account is under review' } },
    ]);
    expect(await failedTasks(handle)).toBe(0);
  });
});

/** The bundle of a newer release: each change of its text is expected to be possible. */
function newerBundle(): string {
  const changes: [from: string, to: string][] = [
    ['const FAILURES={', 'const FAILURES={copyright:rule(true,"like another work","Change it."),'],
    ['labels:[...resolved.labels],', 'labels:[...resolved.labels],mood:"calm",'],
    ['metadata:clip.metadata', 'metadata:clip.metadata,hue:"blue"'],
    [
      'this.#job.recordClip("clip.storing",',
      'this.#job.log.record({type:"clip.reviewed",clip_index:this.#index,verdict:"sharp"});this.#job.log.record({type:"job.reviewed"});this.#job.recordClip("clip.storing",',
    ],
  ];
  let code = readFileSync(bundlePath, 'utf8');
  for (const [from, to] of changes) {
    const parts = code.split(from);
    if (parts.length !== 2) throw new Error(`expected "${from}" once in the bundle`);
    code = parts.join(to);
  }
  return code;
}

const eventsIn = (frames: SseFrame[]): JobEvent[] =>
  frames.flatMap(({ id, data }) => (id === null ? [] : [JSON.parse(data) as JobEvent]));

describe('an API that is older than the workflow of a job', () => {
  it('shows, streams, stores and lists the job, numbers its events without gaps, and folds them to its end', async () => {
    await using world = await World.create();
    const api = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    await using _closing = { [Symbol.asyncDispose]: () => api.close() };
    const dataConverter = storedPayloads(createDirectoryStore(world.data_dir));
    const deps = {
      store: indexing(
        artifactsIn(world.data_dir),
        createJobIndex(createDirectoryStore(world.data_dir)),
      ),
      workflow: findOwnWorkflow(world.client),
    } as Partial<Deps> as Deps;
    let seen = (): void => undefined;
    const isSeen = new Promise<void>((resolve) => (seen = resolve));
    const activities: typeof GOOD = {
      ...GOOD,
      archiveJob: createArchiveJob(deps),
      generateClip: async (input) => {
        const { clip_index, failed_attempts } = input;
        const error = {
          kind: COPYRIGHT,
          message: 'a known melody',
          retryable: failed_attempts < 2,
        };
        if (clip_index === 1) throw attemptOver(input, error);
        // In a phase that the API does not know, until a reader has seen it.
        const context = Context.current();
        const beat = { attempt: 1, failed_attempts, phase: 'upscaling', percent: null };
        const beating = setInterval(() => {
          context.heartbeat(beat);
        }, 100);
        await isSeen.finally(() => {
          clearInterval(beating);
        });
        return GOOD.generateClip(input);
      },
    };
    const connection = server.nativeConnection;
    const worker = await Worker.create({
      connection,
      taskQueue: world.task_queue,
      workflowBundle: { code: newerBundle() },
      activities,
      dataConverter,
    });
    await withSideQueues(connection, world.task_queue, activities, () =>
      worker.runUntil(async () => {
        const answer = await fetch(`${api.url}/v1/jobs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(planOf(['a', 'b'])),
        });
        const started = (await answer.json()) as Job;
        const url = `${api.url}/v1/jobs/${started.job_id}`;
        const job = async (): Promise<Job> => (await (await fetch(url)).json()) as Job;
        const live = await read(`${url}/events`);
        await live.until((frames) =>
          frames.some(({ event, data }) => event === 'clip.progress' && data.includes('upscaling')),
        );
        seen();
        expect(await live.ended).toBe(true);

        const late = await read(`${url}/events?after=0`);
        expect(await late.ended).toBe(true);
        const events = eventsIn(late.frames);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        const types = events.map(({ type }) => type as string);
        expect(types.filter((type) => type.endsWith('.reviewed')).toSorted()).toEqual([
          'clip.reviewed',
          'job.reviewed',
        ]);

        const stored = await job();
        const failure = { kind: COPYRIGHT, message: 'a known melody', retryable: false };
        expect(stored).toMatchObject({
          status: 'succeeded',
          mood: 'calm',
          seq: events.length,
          clips: [
            { status: 'succeeded', hue: 'blue' },
            { status: 'failed', error: failure },
          ],
        });
        // Live, from the snapshot that the reader began with.
        const [snapshot] = live.frames.filter(({ event }) => event === 'snapshot');
        const first = JSON.parse(snapshot?.data ?? '') as Job;
        const folded = eventsIn(live.frames).reduce(apply, first);
        expect(folded).toMatchObject({
          status: 'succeeded',
          mood: 'calm',
          seq: events.length,
          clips: stored.clips,
        });

        // Page and terminal are built on the client.
        const client = createClient({ baseUrl: api.url });
        const sentences: string[] = [];
        for await (const event of client.events(started.job_id)) sentences.push(sentenceOf(event));
        expect(sentences).toHaveLength(events.length);
        expect(sentences).toContain('job.reviewed');
        expect(sentences.join('\n')).toContain('it failed (a known melody)');

        const list = (await (await fetch(`${api.url}/v1/jobs`)).json()) as { jobs: Job[] };
        const listed = list.jobs.filter(({ job_id }) => job_id === started.job_id);
        expect(listed).toMatchObject([{ mood: 'calm' }]);
        const figures = await (await fetch(`${api.url}/metrics`)).text();
        expect(figures).toMatch(new RegExp(`kind="${COPYRIGHT}".* 1$`, 'm'));
      }),
    );
  });
});
