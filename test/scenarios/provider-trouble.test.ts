/** What the provider says and does, row by row: what is tried again, what is not, and how often it is paid. */
import { describe, expect, it } from 'vitest';
import { FAILURE_KINDS, FAILURES } from '../../src/domain/job/failures.js';
import type { FailureKind } from '../../src/domain/job/failures.js';
import type { Clip } from '../../src/domain/job/job.schema.js';
import { parseFault } from '../../src/simulator/fault-injector.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { planOf } from '../support/plans.js';
import { executionsOf } from '../support/history.js';
import { World } from '../support/world.js';

/** Milliseconds that passed at the provider between the end of each prediction of a clip and the next create. */
const pauses = ({ predictions }: Clip): number[] =>
  predictions
    .slice(1)
    .map(({ created_at }, before) => since(predictions[before]?.completed_at, created_at));
const since = (from: string | null | undefined, to: string): number =>
  Date.parse(to) - Date.parse(from ?? '');

/**
 * Runs one clip a fault in one job; answers with the clip and the number of creates by fault. Every fault has struck,
 * and the ledgers agree.
 */
async function outcomes(faults: readonly string[], batch_size = faults.length) {
  await using world = await World.create();
  await world.startWorker();
  const prompts = faults.map((fault) => `[[${fault}]] a heron`);
  const run = await world.start(
    planOf(prompts, {
      dispatch: 'window',
      batch_size,
      stop_when_unreachable: false,
    }),
  );
  const job = await run.end();
  const stats = await world.stats();
  for (const fault of faults) {
    expect(stats.struck[parseFault(fault)?.name ?? ''], fault).toBeGreaterThan(0);
  }
  expectSameLedger(stats, job);
  const table = faults.map((fault, index): [string, { clip: Clip; creates: number }] => {
    const clip = job.clips[index];
    if (clip === undefined) throw new Error('expected a clip a fault');
    const creates = stats.predictions.filter(
      ({ input }) => input['prompt'] === prompts[index],
    ).length;
    return [fault, { clip, creates }];
  });
  return { job, table, history: await run.handle.fetchHistory() };
}

describe('trouble while polling', () => {
  it('never fails a paid render', async () => {
    // One at a time: only that one is read by itself.
    const { table } = await outcomes(
      [
        'poll-500:3',
        'poll-502-html:2',
        'poll-404:3',
        'poll-429:1:2',
        'poll-reset:3',
        'poll-garbled:2',
        'poll-cut:2',
      ],
      1,
    );
    for (const [fault, { clip, creates }] of table) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(creates, fault).toBe(1);
    }
  });
});

describe('a refusal', () => {
  it('of the content or the input is final, and paid once at most', async () => {
    const said: Record<string, [FailureKind, string]> = {
      flagged: ['flagged', '(E005)'],
      nsfw: ['flagged', 'NSFW content detected'],
      invalid: ['invalid_input', '(E006)'],
      traceback: ['invalid_input', 'ValueError: the frames do not add up'],
      E1001: ['invalid_input', 'CUDA out of memory'],
    };
    const { table } = await outcomes(Object.keys(said));
    for (const [fault, { clip, creates }] of table) {
      const [kind, text] = said[fault] ?? [];
      expect(clip, fault).toMatchObject({ status: 'failed', error: { kind, retryable: false } });
      expect(clip.error?.message, fault).toContain(text);
      expect(clip.error?.message, fault).toContain(clip.predictions[0]?.url);
      expect(creates, fault).toBe(1);
    }
  });

  it('of the input before anything is accepted is final, unpaid, and told in the words of the provider', async () => {
    const { job, table } = await outcomes(['http-422']);
    const [, { clip, creates }] = table[0] ?? ['', { clip: undefined, creates: NaN }];
    expect(clip).toMatchObject({
      status: 'failed',
      attempt: 1,
      retry_count: 0,
      predictions: [],
      error: { kind: 'invalid_input', retryable: false },
    });
    // It is injected once only: a second request would have got a prediction.
    expect(creates).toBe(0);
    expect(clip?.error?.message).toContain(
      'Input validation failed: - input.prompt: String length must be less than or equal to 5',
    );
    expect(job.total_cost_usd).toBe(0);
  });
});

describe('a failed prediction', () => {
  it('is followed by a new one after backoff', async () => {
    const { table } = await outcomes([
      'fail-once',
      'fail-empty',
      'interrupted',
      'E8765',
      'E6716',
      'E9825',
      'E001',
      'aborted',
      'null-output',
      'empty-output',
      'wrong-duration:1',
    ]);
    for (const [fault, { clip, creates }] of table) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 2, retry_count: 1 });
      expect(creates, fault).toBe(2);
      expect(clip.predictions, fault).toHaveLength(2);
      const [pause] = pauses(clip);
      expect(pause, fault).toBeGreaterThanOrEqual(2_000);
    }
    const aborted = table.find(([fault]) => fault === 'aborted')?.[1].clip.predictions[0];
    expect(aborted).toMatchObject({ status: 'aborted', billed: false, cost_usd: 0 });
  });

  it('of each kind that is tried again is tried three times in all, after 2 s and after 4 s', async () => {
    const { table } = await outcomes(['fail-always', 'wrong-duration', 'null-output:9']);
    const kinds = table.map(([, { clip }]) => clip.error?.kind);
    expect(kinds.toSorted()).toEqual(FAILURE_KINDS.filter((kind) => FAILURES[kind].retry).sort());
    for (const [fault, { clip, creates }] of table) {
      expect(clip, fault).toMatchObject({ status: 'failed', attempt: 3, retry_count: 2 });
      expect(clip.error?.retryable, fault).toBe(false);
      expect(creates, fault).toBe(3);
      const [first, second] = pauses(clip);
      expect(first, fault).toBeGreaterThanOrEqual(2_000);
      expect(second, fault).toBeGreaterThanOrEqual(4_000);
    }
  });
});

describe('a rate limit', () => {
  it('is waited out inside the attempt, however it is said, and the job shows it', async () => {
    const { job, table } = await outcomes([
      'http-429:1:2',
      'http-429-header:1:2',
      'http-429-text:1:2',
      'low-credit:1:4',
    ]);
    for (const [fault, { clip, creates }] of table) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(creates, fault).toBe(1);
    }
    expect(job.warnings.filter((warning) => warning.includes('rate'))).toHaveLength(4);
  });

  it('of six a minute, as accounts with little credit have, costs time and no execution', async () => {
    // The wait is twice as long as an execution may be silent.
    await using world = await World.create({ timings: { start_to_close: 60, heartbeat: 5 } });
    await world.control('POST', '/settings', { low_credit: true });
    await world.startWorker();
    const run = await world.start(planOf(['a', 'b']));
    const job = await run.end();
    expect(job).toMatchObject({ successful_clips: 2, clips: [{ attempt: 1 }, { attempt: 1 }] });
    expect(job.warnings.join()).toContain('reduced to 6 requests per minute');
    const stats = await world.stats();
    expect(stats.creates).toBe(2);
    expectSameLedger(stats, job);
    const times = stats.predictions.map(({ created_at }) => Date.parse(created_at));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(8_000);
    const history = await run.handle.fetchHistory();
    expect(['clip-0', 'clip-1'].map((id) => executionsOf(history, id))).toEqual([[1], [1]]);
  });
});

describe('a download that goes wrong', () => {
  it('is tried again, and the clip is never paid for again', async () => {
    const { table } = await outcomes([
      'truncated-file:2',
      'short-file:2',
      'empty-file:2',
      'html-file:2',
      'file-404:2',
      'file-403:2',
      'file-500:2',
      'redirect-file:1',
      'gzip-file',
    ]);
    for (const [fault, { clip, creates }] of table) {
      expect(clip, fault).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(creates, fault).toBe(1);
    }
  });

  it('is not cut off while bytes still come, however slowly', async () => {
    // For longer than a download may be silent, and its activity without a heartbeat.
    const { history, table } = await outcomes(['slow-file:22:always']);
    const [, { clip, creates }] = table[0] ?? ['', { clip: undefined, creates: 0 }];
    expect(clip).toMatchObject({ status: 'succeeded', attempt: 1 });
    expect(creates).toBe(1);
    expect(executionsOf(history, 'store-0')).toEqual([1]);
  });

  it.each([
    ['too-large-file', 'output_lost', /at most \d+ bytes/],
    ['webm-file', 'no_output', /expected an MP4 video, got a WebM video/],
    ['billion-samples-file', 'output_lost', /took more than \d+ MB of memory to measure/],
    ['box-flood-file', 'output_lost', /took more than \d+ (?:s|MB) of .* to measure/],
  ])('ends at once when it cannot change, unpaid again: %s', async (fault, kind, message) => {
    const { history, table } = await outcomes([fault]);
    const [, { clip, creates }] = table[0] ?? ['', { clip: undefined, creates: 0 }];
    expect(clip).toMatchObject({ status: 'failed', error: { kind, retryable: false } });
    expect(clip?.error?.message).toMatch(message);
    expect(creates).toBe(1);
    expect(executionsOf(history, 'store-0')).toEqual([1]);
  });

  it('ends as output_lost when the provider has deleted the file, unpaid again', async () => {
    const { table } = await outcomes(['expired-file']);
    const [, { clip, creates }] = table[0] ?? ['', { clip: undefined, creates: 0 }];
    expect(clip).toMatchObject({ status: 'failed', error: { kind: 'output_lost' } });
    expect(creates).toBe(1);
  });
});
