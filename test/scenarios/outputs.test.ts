/** The shapes in which a model answers: what holds a video is stored, what holds none is not paid for again. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectSameLedger } from '../support/provider-ledger.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

/** Everything that stands in a history, payloads included: protobuf writes those in base64. */
const textOf = (history: object): string =>
  JSON.stringify(history, (key, value: unknown) =>
    key === 'data' && typeof value === 'string'
      ? Buffer.from(value, 'base64').toString('latin1')
      : value,
  );

/** Runs one clip a fault in one job; answers with each clip and its number of predictions, as the provider counts. */
async function renderedAs(faults: readonly string[]) {
  await using world = await World.create();
  const worker = await world.startWorker();
  const prompts = faults.map((fault) => `[[${fault}]] a heron`);
  const run = await world.start(
    planOf(prompts, {
      dispatch: 'window',
      batch_size: faults.length,
      stop_when_unreachable: false,
    }),
  );
  const job = await run.end();
  const stats = await world.stats();
  expectSameLedger(stats, job);
  const clips = await Promise.all(
    job.clips.map(async (clip, index) => {
      const file = path.join(
        ...[world.data_dir, 'artifacts', job.job_id],
        `clip_${String(clip.clip_index).padStart(3, '0')}.mp4`,
      );
      return {
        fault: faults[index] ?? '',
        clip,
        bytes: await readFile(file).catch(() => null),
        paid: stats.predictions.filter(({ input }) => input['prompt'] === prompts[index]).length,
      };
    }),
  );
  const history = textOf(await run.handle.fetchHistory());
  return { job, clips, stats, history, said: worker.output };
}

describe('an output', () => {
  it('in any shape that holds a video is stored, and paid for once', async () => {
    const { clips, stats } = await renderedAs([
      'object-output',
      'nested-output',
      'mixed-output',
      'late-output',
    ]);
    for (const { fault, clip, bytes, paid } of clips) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 1, error: null });
      expect(bytes?.length, fault).toBeGreaterThan(1_000);
      expect(stats.struck[fault], fault).toBe(1);
      expect(paid, fault).toBe(1);
    }
  });

  it('that is the file itself is stored, paid for once, and stands in no history and no log', async () => {
    const { clips, history, said, stats } = await renderedAs([
      'data-output',
      'data-output-escaped',
    ]);
    for (const { fault, clip, bytes, paid } of clips) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(bytes?.subarray(4, 8).toString('latin1'), fault).toBe('ftyp');
      expect(paid, fault).toBe(1);
    }
    expect(stats.downloads).toBe(0);
    const start = clips[0]?.bytes?.subarray(0, 30).toString('base64') ?? '';
    expect(start).toHaveLength(40);
    expect(history).toContain('a heron');
    for (const text of [history, said]) expect(text).not.toContain(start);
    expect(history.length).toBeLessThan(400_000);
  });

  it('in a shape without a video ends its clip with what came, and is never paid for again', async () => {
    const { clips } = await renderedAs(['odd-output', 'text-output']);
    const said = ['"frames":120', 'The video was sent to your inbox.'];
    for (const [index, { fault, clip, paid }] of clips.entries()) {
      expect(clip, fault).toMatchObject({
        status: 'failed',
        attempt: 1,
        error: { kind: 'no_output', retryable: false },
      });
      expect(clip.error?.message, fault).toContain(said[index]);
      expect(clip.error?.message, fault).not.toMatch(/\p{Cc}/u);
      expect(paid, fault).toBe(1);
    }
  });

  it('that is empty is rendered again', async () => {
    const { clips } = await renderedAs(['null-output', 'empty-output']);
    for (const { fault, clip, paid } of clips) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 2 });
      expect(paid, fault).toBe(2);
    }
  });
});
