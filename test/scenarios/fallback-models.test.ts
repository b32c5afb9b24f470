/** A clip that its model cannot make is made by the next that the plan names: told everywhere, and paid once there. */
import { describe, expect, it } from 'vitest';
import type { Clip, Job, JobEvent } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { apply } from '../../src/domain/job/progress.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { bytes, ImageHost, picture, status } from '../support/image-host.js';
import { planOf } from '../support/plans.js';
import { terminateAndRetry } from '../support/retry.js';
import { World } from '../support/world.js';
import type { Run } from '../support/world.js';

const FIRST = 'bytedance/seedance-1-pro';
const NEXT = 'kwaivgi/kling-v2.5-turbo-pro';
/** Of five seconds. */
const FIRST_USD = 0.75;
const NEXT_USD = 0.35;

const planned = (more: Partial<Plan> = {}, prompts = ['a heron']): Plan =>
  planOf(prompts, { model: FIRST, fallback_models: [NEXT], duration_buffer: 1, ...more });

/** The provider treats one model so. */
const strike = (
  world: World,
  fault: string,
  more: { match?: string; times?: number | 'always' } = {},
) => world.control('POST', '/faults', { match: FIRST, fault, times: 'always', ...more });

const clipOf = ({ clips }: Job): Clip => {
  const [clip] = clips;
  if (clip === undefined) throw new Error('expected a clip');
  return clip;
};
const lines = (job: Job) =>
  clipOf(job).predictions.map(({ model, attempt, status }) => [model, attempt, status]);
const FAILED_THREE_TIMES = [1, 2, 3].map((attempt) => [FIRST, attempt, 'failed']);

const isSwitch = (event: JobEvent): event is Extract<JobEvent, { clip: Clip }> =>
  event.type === 'clip.retrying' && event.clip.model === NEXT;

/** The events of the clip's change of models, one after the other. */
async function switches(run: Run) {
  const events = await run.events();
  return events.flatMap((event, place) =>
    isSwitch(event) ? [{ event, before: events[place - 1] }] : [],
  );
}

describe('a model that the provider does not have', () => {
  it.each(['http-404', 'http-410'])('hands its clips on unpaid, by name (%s)', async (fault) => {
    await using world = await World.create();
    await strike(world, fault);
    await world.startWorker();
    const run = await world.start(planned({ max_cost_usd: 3 }, ['a', 'b']));
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', model: FIRST, total_cost_usd: 2 * NEXT_USD });
    expect(clipOf(job)).toMatchObject({
      model: NEXT,
      status: 'succeeded',
      attempt: 1,
      estimated_cost_usd: NEXT_USD,
      predictions: [{ model: NEXT, attempt: 1 }],
    });
    const told = await switches(run);
    expect(told).toHaveLength(2);
    expect(told[0]?.event.clip.error).toMatchObject({ kind: 'invalid_input' });
    expect(told[0]?.event.clip.error?.message).toMatch(/^model_unavailable: .*HTTP 4/);
    const warned = job.warnings.filter((text) =>
      text.includes(`${NEXT} takes over, 5 s for $0.35`),
    );
    expect(warned).toHaveLength(2);
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 2, struck: { [fault]: 2 } });
    expectSameLedger(stats, job);
  });

  it('fails its clips where the plan names no other, and no other is tried', async () => {
    await using world = await World.create();
    await strike(world, 'http-410');
    await world.startWorker();
    const { fallback_models: _, ...alone } = planned();
    const job = await (await world.start(alone)).end();
    expect(clipOf(job)).toMatchObject({ status: 'failed', error: { kind: 'invalid_input' } });
    expect(clipOf(job)).not.toHaveProperty('model');
    expect(await world.stats()).toMatchObject({ creates: 0, create_requests: 1 });
  });
});

describe('a model that fails all its attempts', () => {
  it('hands its clip on, which is paid once there', async () => {
    await using world = await World.create();
    await strike(world, 'fail-once');
    await world.startWorker();
    const run = await world.start(planned());
    const job = await run.end();
    expect(lines(job)).toEqual([...FAILED_THREE_TIMES, [NEXT, 1, 'succeeded']]);
    expect(clipOf(job)).toMatchObject({ status: 'succeeded', model: NEXT, error: null });
    expect(job.total_cost_usd).toBeCloseTo(3 * FIRST_USD + NEXT_USD);
    const [told] = await switches(run);
    expect(told?.event.clip).toMatchObject({
      status: 'retrying',
      attempt: 0,
      error: { kind: 'provider_error', retryable: true },
    });
    expect(told?.before).toMatchObject({ type: 'job.warning', clip_index: 0 });
    expectSameLedger(await world.stats(), job);
    const events = await run.events();
    const first = { ...job, seq: 0, warnings: [], warnings_total: 0 };
    expect(events.reduce(apply, first).clips).toEqual(job.clips);
  });

  it('hands on from one to the next, and fails when the last has failed', async () => {
    await using world = await World.create();
    await strike(world, 'fail-once');
    await strike(world, 'http-404', { match: NEXT });
    await strike(world, 'fail-once', { match: 'veo-3.1-lite' });
    await world.startWorker();
    const run = await world.start(planned({ fallback_models: [NEXT, 'google/veo-3.1-lite'] }));
    const job = await run.end();
    const last = 'google/veo-3.1-lite';
    expect(lines(job).map(([model]) => model)).toEqual([FIRST, FIRST, FIRST, last, last, last]);
    expect(clipOf(job)).toMatchObject({ status: 'failed', error: { kind: 'provider_error' } });
    expectSameLedger(await world.stats(), job);
  });

  it('keeps its clip where the input is at fault', async () => {
    await using world = await World.create();
    await strike(world, 'flagged');
    await world.startWorker();
    const job = await (await world.start(planned())).end();
    expect(clipOf(job)).toMatchObject({
      status: 'failed',
      model: FIRST,
      error: { kind: 'flagged' },
    });
    expect((await world.stats()).creates).toBe(1);
  });

  it('does not hand on what no longer fits the cap', async () => {
    await using world = await World.create();
    await strike(world, 'fail-once');
    await world.startWorker();
    const cap = 3 * FIRST_USD + NEXT_USD - 0.01;
    const job = await (await world.start(planned({ max_cost_usd: cap }))).end();
    expect(lines(job)).toEqual(FAILED_THREE_TIMES);
    expect(clipOf(job)).toMatchObject({ model: FIRST, error: { kind: 'over_budget' } });
    expect(clipOf(job).error?.message).toContain('last error: Director');
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 3 });
    expectSameLedger(stats, job);
  });
});

describe('a clip with reference images', () => {
  const NATIVE = 'bytedance/seedance-2.0';
  const planWith = (scene_reference_url: string, ann: string): Plan => ({
    model: NATIVE,
    fallback_models: [NEXT],
    duration_buffer: 1,
    clip_prompts: [
      {
        clip_index: 0,
        prompt: 'a heron',
        duration: 5,
        scene_reference_url,
        character_reference_urls: [ann],
      },
    ],
  });

  const ALLOWED = { env: { REFERENCE_ALLOW_HOSTS: '127.0.0.1' } };

  /** The job's end, when the provider no longer has the plan's own model. */
  async function endOf(world: World, host: ImageHost): Promise<Job> {
    await strike(world, 'http-404', { match: NATIVE });
    await world.startWorker();
    const run = await world.start(planWith(host.url('/scene.jpg'), host.url('/ann.png')));
    return run.end();
  }

  it('is sent what the next model takes: here a picture composed of them', async () => {
    await using host = await ImageHost.start({
      '/scene.jpg': bytes(await picture('jpeg', [1280, 720])),
      '/ann.png': bytes(await picture('png', [300, 600]), 'image/png'),
    });
    await using world = await World.create(ALLOWED);
    const job = await endOf(world, host);
    expect(clipOf(job)).toMatchObject({
      status: 'succeeded',
      model: NEXT,
      composite_url: `/v1/jobs/${job.job_id}/clips/0/composite`,
    });
    const { predictions } = await world.stats();
    expect(predictions).toHaveLength(1);
    expect(predictions[0]?.input['start_image']).toMatch(/\/files\//);
  });

  it('ends unpaid where they are bad by then', async () => {
    let asked = 0;
    const scene = bytes(await picture('jpeg', [1280, 720]));
    await using host = await ImageHost.start({
      '/scene.jpg': (request, response) => {
        (++asked === 1 ? scene : status(404))(request, response);
      },
      '/ann.png': bytes(await picture('png', [300, 600]), 'image/png'),
    });
    await using world = await World.create(ALLOWED);
    const job = await endOf(world, host);
    expect(clipOf(job)).toMatchObject({
      status: 'failed',
      model: NEXT,
      error: { kind: 'invalid_reference' },
    });
    expect(await world.stats()).toMatchObject({ creates: 0, create_requests: 1 });
  });
});

describe('a clip that is retried', () => {
  it('begins with the model of the plan again', async () => {
    await using world = await World.create();
    await strike(world, 'http-404', { times: 1 });
    await strike(world, 'flagged', { match: NEXT });
    await world.startWorker();
    const stay = '[[hold:while-processing]] b';
    const run = await world.start(planned({ dispatch: 'window', batch_size: 1 }, ['a', stay]));
    await run.until('it to fail on both', ({ clips }) => clips[0]?.status === 'failed');
    expect(clipOf(await run.progress()).model).toBe(NEXT);
    await run.handle.signal('retryClip', { clip_index: 0 });
    const again = await run.until(
      'it to be tried again',
      ({ clips }) => clips[0]?.status !== 'failed',
    );
    expect(clipOf(again)).toMatchObject({ model: FIRST, estimated_cost_usd: FIRST_USD });
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(lines(job)).toEqual([
      [NEXT, 1, 'failed'],
      [FIRST, 1, 'succeeded'],
    ]);
    expectSameLedger(await world.stats(), job);
  });
});

describe('a kill while a clip is handed on', () => {
  it.each(['before-accept', 'after-accept', 'while-processing'] as const)(
    'doubles nothing: the next has its create %s',
    async (point) => {
      await using world = await World.create({ timings: { start_to_close: 120, heartbeat: 5 } });
      await strike(world, 'fail-once');
      await strike(world, `hold:${point}`, { match: NEXT, times: 1 });
      const worker = await world.startWorker();
      const run = await world.start(planned());
      await eventually('the next model to be asked', async () => {
        const { held } = await world.stats();
        return { done: held.length === 1, value: held };
      });
      await worker.kill();
      await world.startWorker();
      await world.control('POST', '/release', { all: true });
      const job = await run.end();
      expect(lines(job)).toEqual([...FAILED_THREE_TIMES, [NEXT, 1, 'succeeded']]);
      const stats = await world.stats();
      expect(stats.creates).toBe(4);
      expectSameLedger(stats, job);
    },
  );

  it('resumes with what it left there, after a termination too', async () => {
    await using world = await World.create();
    await strike(world, 'http-404');
    await strike(world, 'hold:while-processing', { match: NEXT, times: 1 });
    await world.startWorker();
    const first = await world.start(planned());
    await first.until('a render', ({ clips }) => clips[0]?.predictions.length === 1);
    const run = await terminateAndRetry(world, first);
    await run.until('it to resume', ({ clips }) => clips[0]?.status === 'running');
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(lines(job)).toEqual([[NEXT, 1, 'succeeded']]);
    expect(clipOf(job)).toMatchObject({ model: NEXT, estimated_cost_usd: NEXT_USD });
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 1, cancels: 0 });
    expectSameLedger(stats, job);
  });

  it('finds a create that was on its way there when the job was terminated', async () => {
    await using world = await World.create();
    await strike(world, 'http-404');
    await strike(world, 'hold:after-accept', { match: NEXT, times: 1 });
    await world.startWorker();
    const first = await world.start(planned());
    await eventually('the create to be accepted', async () => {
      const { held } = await world.stats();
      return { done: held.length === 1, value: held };
    });
    const run = await terminateAndRetry(world, first);
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(clipOf(job).predictions).toMatchObject([{ model: NEXT, adopted: true }]);
    expect((await world.stats()).creates).toBe(1);
  });
});
