/** Reference images of a real job: looked at once, composed and uploaded, refused unpaid, and looked at again. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { artifactPath } from '../support/stored-files.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import type { ClipPrompt, Plan } from '../../src/domain/plan/plan.schema.js';
import { eventually } from '../support/eventually.js';
import { bytes, ImageHost, picture, status } from '../support/image-host.js';
import { World } from '../support/world.js';

const ALLOWED = { env: { REFERENCE_ALLOW_HOSTS: '127.0.0.1' } };

const planOf = (clips: readonly Partial<ClipPrompt>[], more: Partial<Plan> = {}): Plan => ({
  min_successful_clips: 1,
  stop_when_unreachable: false,
  ...more,
  clip_prompts: clips.map((clip, clip_index) => ({
    clip_index,
    prompt: `take ${String(clip_index)}`,
    duration: 5,
    ...clip,
  })),
});

const artifactsOf = (world: World, job: Job): Promise<string[]> =>
  readdir(path.join(world.data_dir, 'artifacts', job.job_id));

const compositeOf = (job: Job, index: number): string | null =>
  `/v1/jobs/${job.job_id}/clips/${String(index)}/composite`;

async function uploadsTo(world: World): Promise<{ name: string; urls: { get: string } }[]> {
  const answer = await fetch(`${world.simulator.url}/files`, {
    headers: { authorization: 'Bearer r8_scenario' },
  });
  return ((await answer.json()) as { results: { name: string; urls: { get: string } }[] }).results;
}

describe('a scene with characters for a model that takes one image', () => {
  it('is composed and uploaded once a set, and each image is fetched once a job', async () => {
    await using host = await ImageHost.start({
      '/scene.jpg': bytes(await picture('jpeg', [1280, 720])),
      '/ann.png': bytes(await picture('png', [300, 600], '#a33'), 'image/png'),
      '/bob.webp': bytes(await picture('webp', [300, 500], '#3a3'), 'image/webp'),
    });
    const scene_reference_url = host.url('/scene.jpg');
    const [ann, bob] = [host.url('/ann.png'), host.url('/bob.webp')];
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const run = await world.start(
      planOf(
        [
          { scene_reference_url, character_reference_urls: [ann, bob] },
          { scene_reference_url, character_reference_urls: [ann, bob] },
          { scene_reference_url, character_reference_urls: [ann] },
          { scene_reference_url },
        ],
        { aspect_ratio: '9:16' },
      ),
    );
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 4 });
    expect(Object.fromEntries(host.hits)).toEqual({
      '/scene.jpg': 1,
      '/ann.png': 1,
      '/bob.webp': 1,
    });
    const uploads = await uploadsTo(world);
    expect(uploads).toHaveLength(2);
    const { predictions } = await world.stats();
    const sent = ['take 0', 'take 1', 'take 2', 'take 3'].map(
      (prompt) => predictions.find(({ input }) => input['prompt'] === prompt)?.input['start_image'],
    );
    expect(sent[0]).toBe(sent[1]);
    expect(new Set(sent.slice(0, 3))).toEqual(new Set(uploads.map(({ urls }) => urls.get)));
    expect(sent[3]).toBe(scene_reference_url);
    const pictures = (await artifactsOf(world, job)).filter((name) =>
      name.startsWith('composite-'),
    );
    expect(pictures.filter((name) => name.endsWith('.jpg'))).toHaveLength(2);
    const file = path.join(world.data_dir, 'artifacts', job.job_id, pictures[0] ?? '');
    expect(await sharp(file).metadata()).toMatchObject({ width: 720, height: 1280 });
    expect((await artifactsOf(world, job)).filter((name) => /^reference-/.test(name))).toEqual([]);
    const shown = job.clips.map(({ composite_url = null }) => composite_url);
    expect(shown).toEqual([0, 1, 2].map((index) => compositeOf(job, index)).concat(null));
    const contents = await Promise.all(
      [0, 1, 2].map((index) =>
        readFile(artifactPath(world.data_dir, job.job_id, index, 'composite'), 'base64'),
      ),
    );
    expect(contents[0]).toBe(contents[1]);
    expect(contents[2]).not.toBe(contents[0]);
  });
});

describe('a bad reference', () => {
  it('fails its clips unpaid, with the reason, and no other', async () => {
    await using host = await ImageHost.start({
      '/good.jpg': bytes(await picture()),
      '/page.jpg': bytes('<!doctype html><p>not here', 'image/jpeg'),
    });
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const run = await world.start(
      planOf([
        { scene_reference_url: host.url('/page.jpg') },
        { scene_reference_url: host.url('/good.jpg') },
        {},
        { character_reference_urls: [host.url('/none.jpg')] },
      ]),
    );
    const job = await run.end();

    expect(job.clips.map(({ status: of }) => of)).toEqual([
      'failed',
      'succeeded',
      'succeeded',
      'failed',
    ]);
    expect(job.clips[0]).toMatchObject({ attempt: 0, predictions: [], cost_usd: null });
    expect(job.clips[0]?.error).toMatchObject({ kind: 'invalid_reference', retryable: false });
    expect(job.clips[0]?.error?.message).toMatch(/page\.jpg: .*got an HTML page/);
    expect(job.clips[3]?.error?.message).toMatch(/none\.jpg: .*got HTTP 404/);
    expect((await world.stats()).creates).toBe(2);
    const types = (await run.events())
      .filter((event) => 'clip_index' in event && event.clip_index === 0)
      .map(({ type }) => type);
    expect(types).toEqual(['clip.failed']);
  });

  it('that is made to hurt fails its own clips, at once, and the worker continues', async () => {
    await using host = await ImageHost.start({
      '/scene.jpg': bytes(await picture('jpeg', [7000, 7000])),
      '/comments.svg': bytes('<!---->'.repeat(146)),
      '/huge.png': bytes(await picture('png', [8000, 6300])),
      '/broken.png': bytes((await picture('png', [300, 400])).subarray(0, 200)),
    });
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const scene_reference_url = host.url('/scene.jpg');
    const withCharacter = (file: string) => ({
      scene_reference_url,
      character_reference_urls: [host.url(file)],
    });
    const run = await world.start(
      planOf([
        { scene_reference_url: host.url('/comments.svg') },
        withCharacter('/comments.svg'),
        withCharacter('/huge.png'),
        withCharacter('/broken.png'),
        withCharacter('/scene.jpg'),
        {},
      ]),
    );
    const job = await run.end();
    expect(job.clips.map(({ error }) => error?.kind ?? null)).toEqual([
      ...Array.from({ length: 4 }, () => 'invalid_reference'),
      ...[null, null],
    ]);
    expect(job.clips[1]?.error?.message).toMatch(/comments\.svg: .*an XML document/);
    expect(Math.max(...host.hits.values())).toBe(1);
  });

  it('leaves no image on disk when its job is canceled while others are looked at', async () => {
    await using host = await ImageHost.start({
      '/scene.jpg': bytes(await picture()),
      '/silent.jpg': () => undefined,
    });
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const run = await world.start(
      planOf([
        {
          scene_reference_url: host.url('/scene.jpg'),
          character_reference_urls: [host.url('/silent.jpg')],
        },
      ]),
    );
    const keptOf = async (): Promise<string[]> => {
      const folder = path.join(world.data_dir, 'artifacts', run.handle.workflowId);
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => name.startsWith('reference-'));
    };
    await expect.poll(keptOf).toHaveLength(1);
    await run.handle.cancel();
    await expect.poll(keptOf).toEqual([]);
  });

  it('is done without where the plan allows it and the model can', async () => {
    await using host = await ImageHost.start({});
    const bad = { scene_reference_url: host.url('/gone.jpg') };
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const more = { on_bad_reference: 'text_only', aspect_ratio: '1:1' } as const;
    const [can, cannot] = await Promise.all([
      world.start(planOf([bad], more)),
      world.start(planOf([bad], { ...more, model: 'kwaivgi/kling-v2.1' })),
    ]);

    const done = await can.end();
    expect(done).toMatchObject({ status: 'succeeded', successful_clips: 1 });
    expect(done.warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^clip 0: is rendered without reference images; .*HTTP 404/),
      ]),
    );
    expect((await cannot.end()).clips[0]?.error?.kind).toBe('invalid_reference');
    const { predictions } = await world.stats();
    expect(predictions).toHaveLength(1);
    expect(predictions[0]?.input).toMatchObject({ aspect_ratio: '1:1', prompt: 'take 0' });
    expect(predictions[0]?.input).not.toHaveProperty('start_image');
  });

  it('inside the private network is never asked for', async () => {
    await using host = await ImageHost.start({ '/good.jpg': bytes(await picture()) });
    await using world = await World.create();
    await world.startWorker();
    const run = await world.start(planOf([{ scene_reference_url: host.url('/good.jpg') }]));
    const job = await run.end();
    expect(job.clips[0]?.error).toMatchObject({ kind: 'invalid_reference' });
    expect(host.requests).toEqual([]);
    expect((await world.stats()).creates).toBe(0);
  });

  it('is looked at again when its clip is retried', async () => {
    await using host = await ImageHost.start({ '/late.jpg': status(404) });
    await using world = await World.create(ALLOWED);
    await world.startWorker();
    const slow = { prompt: '[[hold:while-processing]] keeps the job open' };
    const run = await world.start(planOf([{ scene_reference_url: host.url('/late.jpg') }, slow]));
    await run.until('the clip failed', ({ clips }) => clips[0]?.status === 'failed');
    host.set('/late.jpg', bytes(await picture()));
    await run.handle.signal('retryClip', { clip_index: 0 });
    await eventually('the other clip to be held', async () => {
      const { held } = await world.stats();
      return { done: held.length > 0, value: held };
    });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job.clips.map(({ status: of }) => of)).toEqual(['succeeded', 'succeeded']);
    expect(host.hits.get('/late.jpg')).toBe(2);
  });
});

describe("the simulator's own sample images", () => {
  it('are good references while the simulator is in use, and nothing else on this machine is', async () => {
    await using host = await ImageHost.start({ '/good.jpg': bytes(await picture()) });
    const env: Record<string, string> = {};
    await using world = await World.create({ env });
    const { port } = new URL(world.simulator.url);
    Object.assign(env, { REPLICATE_API_TOKEN: '', REPLICATE_BASE_URL: '', SIMULATOR_PORT: port });
    await world.startWorker();
    const run = await world.start(
      planOf([
        {
          scene_reference_url: `http://127.0.0.1:${port}/samples/scene.jpg`,
          character_reference_urls: [`http://localhost:${port}/samples/character.png`],
        },
        { scene_reference_url: host.url('/good.jpg') },
      ]),
    );
    const job = await run.end();
    expect(job.simulated).toBe(true);
    expect(job.clips.map(({ error }) => error?.kind ?? null)).toEqual([null, 'invalid_reference']);
  });
});

describe('a worker killed while it looks at images', () => {
  it('costs nothing: the next one looks again, and every clip is made once', async () => {
    await using host = await ImageHost.start({ '/slow.jpg': () => undefined });
    await using world = await World.create(ALLOWED);
    const worker = await world.startWorker();
    const run = await world.start(planOf([{ scene_reference_url: host.url('/slow.jpg') }, {}]));
    await eventually('the image to be asked for', async () => {
      const hits = host.hits.get('/slow.jpg') ?? 0;
      return { done: hits > 0, value: hits };
    });
    expect((await world.stats()).creates).toBe(0);
    await worker.kill();
    host.set('/slow.jpg', bytes(await picture()));
    await world.startWorker();
    expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect((await world.stats()).creates).toBe(2);
  });
});
