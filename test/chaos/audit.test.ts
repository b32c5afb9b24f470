/** The audit of a chaos run finds each kind of difference, and none in ledgers that agree. */
import { describe, expect, it } from 'vitest';
import { audit } from '../../chaos/audit.js';
import { FATAL, NO_FAULTS } from '../../chaos/clip-faults.js';
import type { ClipFaults } from '../../chaos/clip-faults.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { clip, ended, entry, failure, good, kindsOf, line, told } from './support.js';
import type { Parts } from './support.js';

describe('an audit', () => {
  it('finds nothing in ledgers that agree', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(audit([entry('p1')], [job])).toEqual([]);
  });

  it('finds a prediction that no ledger has', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(kindsOf([entry('p1'), entry('p2')], [job])).toEqual(['orphaned']);
  });

  it('finds an orphan with any fault of its clip', () => {
    const found = FATAL.map((one) => {
      const job = ended({ clips: [good], stored: [[0, 'p1']], faults: [one] });
      const orphan = entry('p2', { prompt: 'prompt 0' });
      return kindsOf([entry('p1'), orphan], [job]);
    });
    expect(found).toEqual(FATAL.map(() => ['orphaned']));
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
    expect(kindsOf([entry('p1')], [job])).toContain('double');
  });

  it('finds a clip with more predictions than its faults explain', () => {
    const clips = [clip(0, { predictions: [line('p1'), line('p2')] })];
    const job = ended({ clips, stored: [[0, 'p2']] });
    // Too many for the clip, too many for its attempt, and one of them was for nothing.
    expect(kindsOf([entry('p1'), entry('p2')], [job]).sort()).toEqual(['double', 'double', 'lost']);
  });

  it('finds a paid video that was thrown away', () => {
    const error = failure('timed_out');
    const clips = [clip(0, { status: 'failed', error, predictions: [line('p1')] })];
    const kinds = kindsOf([entry('p1')], [ended({ clips })]);
    expect(kinds.sort()).toEqual(['lost', 'wrong_end']);
  });

  it('accepts a failure that the faults of its clip explain', () => {
    const error = failure('flagged');
    const predictions = [line('p1', { status: 'failed' })];
    const job = ended({
      clips: [clip(0, { status: 'failed', error, predictions })],
      faults: [{ tags: ['flagged'], extra: 0, fails: ['flagged'] }],
    });
    expect(audit([entry('p1', { status: 'failed' })], [job])).toEqual([]);
  });

  it('finds spending above the cap, and sums that differ from the bills', () => {
    const job = ended({
      clips: [good],
      stored: [[0, 'p1']],
      plan: { max_cost_usd: 0.2 },
      job: { total_cost_usd: 0.1 },
    });
    expect(kindsOf([entry('p1')], [job])).toEqual(['overspent', 'disagreement']);
  });

  it('finds more predictions at once than a batch has', () => {
    const clips = [0, 1].map((index) => clip(index, { predictions: [line(`p${String(index)}`)] }));
    const stored: [number, string][] = [
      [0, 'p0'],
      [1, 'p1'],
    ];
    const job = ended({ clips, stored, job: { batch_size: 1 } });
    expect(kindsOf([entry('p0'), entry('p1')], [job])).toEqual(['overspent']);
  });

  it('finds what still runs, what never ended, and what the provider does not know', () => {
    const open = line('p1', { status: 'processing', billed: null, cost_usd: null });
    const job = ended({
      clips: [clip(0, { status: 'canceled', error: null, predictions: [open] })],
    });
    const alive = entry('p1', { status: 'processing', billed: false, usd: 0, completed_at: null });
    expect(kindsOf([alive], [job])).toContain('alive');
    expect(kindsOf([], [{ ...job, job: null }])).toEqual(['hung']);
    expect(kindsOf([], [ended({ clips: [good], stored: [[0, 'p1']] })])).toContain('disagreement');
  });
});

describe('an audit of whole jobs', () => {
  const stored: [number, string][] = [[0, 'p1']];

  it('finds clips of the plan that the job does not have', () => {
    const job = ended({ clips: [] });
    job.scheduled.plan.clip_prompts.push({ clip_index: 0, prompt: 'a heron', duration: 5 });
    expect(kindsOf([], [job])).toEqual(['lost']);
  });

  it('finds an end that its clips do not make', () => {
    const ends: Partial<Job>[] = [
      { status: 'failed', error: failure('insufficient_clips') },
      { status: 'canceled', error: failure('canceled') },
    ];
    for (const job of ends) {
      expect(kindsOf([entry('p1')], [ended({ clips: [good], stored, job })])).toEqual([
        'wrong_end',
      ]);
    }
    const few = ended({ clips: [good], stored, plan: { min_successful_clips: 2 } });
    expect(kindsOf([entry('p1')], [few])).toEqual(['wrong_end']);
  });

  it('finds a log with a gap', () => {
    const job = ended({ clips: [good], stored, job: { seq: 1 } });
    expect(kindsOf([entry('p1')], [job])).toEqual(['disagreement']);
  });

  it('finds a clip that was started although the job had been halted', () => {
    const refused = clip(1, { status: 'failed', error: failure('unauthorized') });
    const halt: ClipFaults = { ...NO_FAULTS, fails: ['unauthorized'], halts: true };
    const parts: Parts = { clips: [good, refused], stored, faults: [NO_FAULTS, halt] };
    const before = [told('clip.started', good), told('clip.failed', refused)];
    expect(kindsOf([entry('p1')], [ended({ ...parts, log: before })])).toEqual([]);
    const after = ended({ ...parts, log: before.toReversed() });
    expect(kindsOf([entry('p1')], [after])).toEqual(['wrong_end']);
  });
});
