/** The audit of a chaos run finds what it is there to find, and nothing in books that agree. */
import { describe, expect, it } from 'vitest';
import { audit } from '../../src/chaos/audit.js';
import type { Booked, Ended } from '../../src/chaos/audit.js';
import { NONE } from '../../src/chaos/troubles.js';
import type { Trouble } from '../../src/chaos/troubles.js';
import type { Clip, Job, Prediction } from '../../src/domain/job.js';

const AT = '2026-11-22T12:00:00.000Z';
const LATER = '2026-11-22T12:00:05.000Z';

const booked = (id: string, change: Partial<Booked> = {}): Booked => ({
  id,
  prompt: 'a heron',
  status: 'succeeded',
  billed: true,
  usd: 0.35,
  created_at: AT,
  completed_at: LATER,
  ...change,
});

const line = (id: string, change: Partial<Prediction> = {}) =>
  ({ id, attempt: 1, status: 'succeeded', billed: true, cost_usd: 0.35, ...change }) as Prediction;

const clip = (clip_index: number, change: Partial<Clip>) =>
  ({ clip_index, status: 'succeeded', error: null, predictions: [], ...change }) as unknown as Clip;

interface Parts {
  clips: Clip[];
  stored?: [number, string][];
  troubles?: Trouble[];
  job?: Partial<Job>;
}

function ended({ clips, stored = [], troubles = [], job = {} }: Parts): Ended {
  const lines = clips.flatMap(({ predictions }) => predictions);
  const total = lines.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
  return {
    scheduled: {
      at: 0,
      job_id: 'j',
      plan: {
        clip_prompts: clips.map(({ clip_index }) => ({
          clip_index,
          prompt: `prompt ${String(clip_index)}`,
          duration: 5,
        })),
      },
      troubles: clips.map((_, index) => troubles[index] ?? NONE),
      acts: [],
    },
    job: {
      job_id: 'j',
      batch_size: 5,
      max_cost_usd: null,
      total_cost_usd: total,
      clips,
      ...job,
    } as Job,
    stored: new Map(stored),
    retries: 0,
  };
}

const kindsOf = (books: Booked[], jobs: Ended[]): string[] =>
  audit(books, jobs).map(({ kind }) => kind);

const good = clip(0, { predictions: [line('p1')] });

describe('an audit', () => {
  it('finds nothing in books that agree', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(audit([booked('p1')], [job])).toEqual([]);
  });

  it('finds a prediction that no ledger has', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(kindsOf([booked('p1'), booked('p2')], [job])).toEqual(['orphaned']);
  });

  it('forgives an orphan whose input its own fault removed, once it is over, and no other', () => {
    const clips = [good, clip(1, {})];
    const job = ended({
      clips,
      stored: [[0, 'p1']],
      troubles: [NONE, { ...NONE, vanishes: true }],
    });
    const orphan = (change: Partial<Booked>): string[] =>
      kindsOf([booked('p1'), booked('p2', change)], [job]).filter((kind) => kind === 'orphaned');
    expect(orphan({ prompt: 'prompt 1' })).toEqual([]);
    expect(orphan({ prompt: 'prompt 1', status: 'processing' })).toEqual(['orphaned']);
    expect(orphan({ prompt: 'prompt 0' })).toEqual(['orphaned']);
  });

  it('finds a prediction that two clips share', () => {
    const clips = [good, clip(1, { predictions: [line('p1')] })];
    const job = ended({
      clips,
      stored: [
        [0, 'p1'],
        [1, 'p1'],
      ],
      job: { total_cost_usd: 0.35 },
    });
    expect(kindsOf([booked('p1')], [job])).toContain('double');
  });

  it('finds a clip with more predictions than its faults explain', () => {
    const clips = [clip(0, { predictions: [line('p1'), line('p2')] })];
    const job = ended({ clips, stored: [[0, 'p2']] });
    // Too many for the clip, too many for its attempt, and one of them was for nothing.
    expect(kindsOf([booked('p1'), booked('p2')], [job]).sort()).toEqual([
      'double',
      'double',
      'lost',
    ]);
  });

  it('finds a paid video that was thrown away', () => {
    const error = { kind: 'timed_out', message: 'late', retryable: false } as const;
    const clips = [clip(0, { status: 'failed', error, predictions: [line('p1')] })];
    const kinds = kindsOf([booked('p1')], [ended({ clips })]);
    expect(kinds.sort()).toEqual(['lost', 'wrong_end']);
  });

  it('accepts a failure that the faults of its clip explain', () => {
    const error = { kind: 'flagged', message: 'E005', retryable: false } as const;
    const predictions = [line('p1', { status: 'failed' })];
    const job = ended({
      clips: [clip(0, { status: 'failed', error, predictions })],
      troubles: [{ tags: ['flagged'], again: 0, fails: ['flagged'] }],
    });
    expect(audit([booked('p1', { status: 'failed' })], [job])).toEqual([]);
  });

  it('finds spending above the cap, and sums that differ from the bills', () => {
    const job = ended({
      clips: [good],
      stored: [[0, 'p1']],
      job: { max_cost_usd: 0.2, total_cost_usd: 0.1 },
    });
    expect(kindsOf([booked('p1')], [job])).toEqual(['overspent', 'disagreement']);
  });

  it('finds more predictions at once than a batch has', () => {
    const clips = [0, 1].map((index) => clip(index, { predictions: [line(`p${String(index)}`)] }));
    const stored: [number, string][] = [
      [0, 'p0'],
      [1, 'p1'],
    ];
    const job = ended({ clips, stored, job: { batch_size: 1 } });
    expect(kindsOf([booked('p0'), booked('p1')], [job])).toEqual(['overspent']);
  });

  it('finds what still runs, what never ended, and what the provider does not know', () => {
    const open = line('p1', { status: 'processing', billed: null, cost_usd: null });
    const job = ended({
      clips: [clip(0, { status: 'canceled', error: null, predictions: [open] })],
    });
    const alive = booked('p1', { status: 'processing', billed: false, usd: 0, completed_at: null });
    expect(kindsOf([alive], [job])).toContain('alive');
    expect(kindsOf([], [{ ...job, job: null }])).toEqual(['hung']);
    expect(kindsOf([], [ended({ clips: [good], stored: [[0, 'p1']] })])).toContain('disagreement');
  });
});
