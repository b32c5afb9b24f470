/** G1, G4: with any clock at the provider, or on the machine of a worker, one clip is one paid prediction. */
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { predictionCreatedSignal } from '../../src/contract/workflow.js';
import type { PredictionCreated } from '../../src/contract/workflow.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import type { Run } from '../support/world.js';
import { World } from '../support/world.js';

const MINUTE = 60_000;
const preload = fileURLToPath(new URL('../support/shifted-clock.mjs', import.meta.url));
const shifted = (milliseconds: number): Record<string, string> => ({
  NODE_OPTIONS: `--import ${preload}`,
  CLOCK_SHIFT: String(milliseconds),
});

const LOST = ['accept-then-drop', 'accept-then-502', 'garbled-201', 'cut-201'];

describe.each([-70, -10, 10, 70])('a provider whose clock is %i minutes off', (minutes) => {
  it('is paid once for a create whose answer is lost, and its times reach the job as those of the job', async () => {
    await using world = await World.create({ clock_offset_ms: minutes * MINUTE });
    await world.startWorker();
    const begun = Date.now();
    const prompts = LOST.map((fault) => `[[${fault}]] a heron`);
    const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: 10 }));
    const job = await run.end();
    const stats = await world.stats();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: LOST.length });
    expect(stats.creates).toBe(LOST.length);
    expectSameLedger(stats, job);
    for (const { predictions } of job.clips) {
      expect(predictions).toMatchObject([{ adopted: true }]);
      const created = Date.parse(predictions[0]?.created_at ?? '');
      expect(created).toBeGreaterThan(begun - 5_000);
      expect(created).toBeLessThan(Date.now() + 5_000);
    }
    const listed = Date.parse(stats.predictions[0]?.created_at ?? '');
    expect(Math.abs(listed - begun - minutes * MINUTE)).toBeLessThan(5 * MINUTE);
  });
});

/** When the clip of a prediction could first be asked for, as its worker says, and when the server heard it say so. */
async function firstAsked({ handle }: Run, id: string): Promise<{ asked: number; told: number }> {
  const { events } = await handle.fetchHistory();
  for (const { eventTime, workflowExecutionSignaledEventAttributes: its } of events ?? []) {
    const [payload] = its?.input?.payloads ?? [];
    if (its?.signalName !== predictionCreatedSignal.name || payload === undefined) continue;
    const signal: PredictionCreated = defaultPayloadConverter.fromPayload(payload);
    if (signal.prediction.id !== id) continue;
    const asked = Date.parse(signal.asked_at ?? '');
    return { asked, told: Number(eventTime?.seconds) * 1000 };
  }
  throw new Error(`expected a signal about prediction ${id}`);
}

describe.each([-60, 60])('a worker whose own clock is %i minutes off', (minutes) => {
  it('kills no render by a deadline, and finds what it lost', async () => {
    await using world = await World.create({ env: shifted(minutes * MINUTE) });
    await world.startWorker();
    const prompts = ['[[accept-then-drop]] a heron', '[[http-429]] a stork', 'a crane'];
    const plan = planOf(prompts, { dispatch: 'window', clip_timeout: 900 });
    const run = await world.start(plan);
    const job = await run.end();
    const stats = await world.stats();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: prompts.length });
    expect(stats.creates).toBe(prompts.length);
    expectSameLedger(stats, job);
    for (const { started_at, predictions } of job.clips) {
      expect(predictions).toHaveLength(1);
      const [line] = predictions;
      const apart = Date.parse(line?.created_at ?? '') - Date.parse(started_at ?? '');
      expect(Math.abs(apart)).toBeLessThan(5 * MINUTE);
      // The time of the clip counts from a moment of the server's clock.
      const { asked, told } = await firstAsked(run, line?.id ?? '');
      expect(Math.abs(asked - told)).toBeLessThan(5 * MINUTE);
      // The provider's deadline is the clip's, by the clock of the provider.
      const seen = await fetch(`${world.simulator.url}/predictions/${line?.id ?? ''}`, {
        headers: { authorization: 'Bearer r8_scenario' },
      });
      const { created_at, deadline } = (await seen.json()) as Record<string, string>;
      const allowed = (Date.parse(deadline ?? '') - Date.parse(created_at ?? '')) / 1000;
      expect(allowed).toBeGreaterThan(800);
      expect(allowed).toBeLessThan(935);
    }
  });

  it('is killed in the middle of a create, and the next one like it finds the prediction', async () => {
    await using world = await World.create({
      env: shifted(minutes * MINUTE),
      clock_offset_ms: -minutes * MINUTE,
      timings: { start_to_close: 20, heartbeat: 5 },
    });
    const worker = await world.startWorker();
    const run = await world.start(planOf(['[[hold:after-accept]] an ibis']));
    await eventually('a create that is held', async () => {
      const stats = await world.stats();
      return { done: stats.held.length > 0, value: stats };
    });
    await worker.kill();
    await world.startWorker();
    const job = await run.end();
    expect(job).toMatchObject({
      status: 'succeeded',
      clips: [{ predictions: [{ adopted: true }] }],
    });
    expect((await world.stats()).creates).toBe(1);
  });
});
