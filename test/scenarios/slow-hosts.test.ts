/** Hosts that send next to nothing keep their own jobs waiting, and no other. */
import { defaultPayloadConverter } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { DownloadHeartbeat } from '../../src/contract/activities.js';
import type { Run } from '../support/world.js';
import { World } from '../support/world.js';
import { bytes, ImageHost, picture } from '../support/image-host.js';
import type { Answer } from '../support/image-host.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { cancelClipSignal } from '../../src/contract/workflow.js';

const JOBS = 25;
const IMAGES = 30;

/** A byte a second. */
const drip: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg' }).flushHeaders();
  const timer = setInterval(() => response.write('x'), 1_000);
  response.on('close', () => {
    clearInterval(timer);
  });
};

const honest = (scene?: string): Plan => ({
  clip_prompts: [
    {
      clip_index: 0,
      prompt: 'one',
      duration: 5,
      ...(scene === undefined ? {} : { scene_reference_url: scene }),
    },
    { clip_index: 1, prompt: 'two', duration: 5 },
  ],
});

const statuses = (runs: readonly Run[]): Promise<string[]> =>
  Promise.all(runs.map(async (run) => (await run.progress()).status));

/** Takes the request, and is never heard of again. */
const silent: Answer = () => undefined;

it('twenty plans whose reference hosts never answer cost a running job nothing: its clips are stored, its predictions ended', async () => {
  const paths = Array.from({ length: IMAGES }, (_, index) => `/${String(index)}.jpg`);
  const hosts = await Promise.all(
    Array.from({ length: 20 }, () =>
      ImageHost.start(Object.fromEntries(paths.map((path) => [path, silent]))),
    ),
  );
  try {
    await using world = await World.create({ env: { REFERENCE_ALLOW_HOSTS: '127.0.0.1' } });
    await world.startWorker();
    const clip = (clip_index: number, prompt: string) => ({ clip_index, prompt, duration: 5 });
    const running = await world.start({
      dispatch: 'window',
      min_successful_clips: 2,
      clip_prompts: [
        clip(0, '[[hold:while-processing]] one'),
        clip(1, '[[hold:while-processing]] two'),
        clip(2, '[[hold:while-processing]] three'),
      ],
    });
    await running.until('three renders', ({ clips }) =>
      clips.every(({ predictions }) => predictions.length === 1),
    );
    const hanging = await Promise.all(
      hosts.map((host) =>
        world.start({
          clip_prompts: paths.map((path, index) => ({
            ...clip(index, 'slow'),
            scene_reference_url: host.url(path),
          })),
        }),
      ),
    );
    await expect.poll(() => hosts.every(({ requests }) => requests.length > 0)).toBe(true);
    await running.handle.signal(cancelClipSignal, { clip_index: 2 });
    await running.until('the third ended', ({ clips }) => clips[2]?.status === 'canceled');
    await world.control('POST', '/release', { all: true });
    const job = await running.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect(await world.stats()).toMatchObject({ creates: 3, cancels: 1 });
    expect(await statuses(hanging)).toEqual(hanging.map(() => 'running'));
    // None of the others has got past its images.
    expect((await world.stats()).creates).toBe(3);
  } finally {
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }
});

describe('an honest job among 25 jobs', () => {
  it('whose reference hosts give a byte a second ends while they hang', async () => {
    const good = await picture('jpeg', [640, 360]);
    const paths = Array.from({ length: IMAGES }, (_, index) => `/${String(index)}.jpg`);
    const slow = await Promise.all(
      Array.from({ length: JOBS }, () =>
        ImageHost.start(Object.fromEntries(paths.map((path) => [path, drip]))),
      ),
    );
    try {
      await using own = await ImageHost.start({ '/good.jpg': bytes(good) });
      await using world = await World.create({ env: { REFERENCE_ALLOW_HOSTS: '127.0.0.1' } });
      await world.startWorker();
      const hanging = await Promise.all(
        slow.map((host) =>
          world.start({
            clip_prompts: paths.map((path, clip_index) => ({
              clip_index,
              prompt: 'slow',
              duration: 5,
              scene_reference_url: host.url(path),
            })),
          }),
        ),
      );
      await expect.poll(() => slow.every(({ requests }) => requests.length > 0)).toBe(true);
      const job = await (await world.start(honest(own.url('/good.jpg')))).end();
      expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
      expect(await statuses(hanging)).toEqual(hanging.map(() => 'running'));
    } finally {
      await Promise.all(slow.map((host) => host[Symbol.asyncDispose]()));
    }
  });

  it('whose videos come a few bytes a second ends while they hang', async () => {
    await using world = await World.create();
    await world.startWorker();
    const hanging = await Promise.all(
      Array.from({ length: JOBS }, (_, index) =>
        world.start({
          clip_prompts: [
            { clip_index: 0, prompt: `[[slow-file:300:99]] ${String(index)}`, duration: 5 },
          ],
        }),
      ),
    );
    await expect.poll(async () => (await world.stats()).downloads).toBe(JOBS);
    const job = await (await world.start(honest())).end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect(await statuses(hanging)).toEqual(hanging.map(() => 'running'));
  });
});

/** What the execution that stores clip 0 has told last. */
async function told(run: Run): Promise<Partial<DownloadHeartbeat> | null> {
  const { raw } = await run.handle.describe();
  const storing = raw.pendingActivities?.find(({ activityId }) => activityId === 'store-0');
  const [payload] = storing?.heartbeatDetails?.payloads ?? [];
  return payload == null ? null : defaultPayloadConverter.fromPayload(payload);
}

it('a clip whose download gives the same wrong answer again and again counts them over its executions', async () => {
  await using world = await World.create();
  await world.startWorker();
  const clip = { clip_index: 0, prompt: '[[html-file:4]] a heron', duration: 5 };
  const run = await world.start({ clip_prompts: [clip] });
  await expect.poll(async () => (await told(run))?.answer?.times ?? 0).toBeGreaterThanOrEqual(3);
  expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 1 });
  expect((await world.stats()).bills.count).toBe(1);
});
