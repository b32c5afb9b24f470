/** The audit believes no clip that says it did not fit under the cap. */
import { describe, expect, it } from 'vitest';
import type { LedgerEntry, SteeringRequest } from '../../chaos/evidence.js';
import { NO_FAULTS } from '../../chaos/clip-faults.js';
import type { Clip } from '../../src/domain/job/job.schema.js';
import {
  accepted,
  AT,
  clip,
  ended,
  entry,
  failure,
  good,
  kindsOf,
  LATER,
  line,
  told,
} from './support.js';
import type { Fact, Parts } from './support.js';

const stored: [number, string][] = [[0, 'p1']];
const error = failure('over_budget');
const raise: SteeringRequest = { kind: 'raise_cap', max_cost_usd: 5 };
const raised: Fact = { type: 'job.warning', message: 'the cap', at: LATER, max_cost_usd: 5 };
const at = (fact: Fact): Fact => ({ ...fact, at: LATER });

describe('a queued clip that did not fit', () => {
  const skipped = clip(1, { status: 'canceled', error });
  const parts = (cap: number, more: Fact[] = []): Parts => ({
    clips: [good, skipped],
    stored,
    plan: { max_cost_usd: cap },
    log: [told('clip.completed', good), ...more, at(told('clip.canceled', skipped))],
  });

  it('costs more than its cap had left', () => {
    expect(kindsOf([entry('p1')], [ended(parts(0.69))])).toEqual([]);
    expect(kindsOf([entry('p1')], [ended(parts(0.7))])).toEqual(['wrong_end']);
  });

  it('is judged by what had been billed by then', () => {
    const later = '2026-11-22T12:01:00.000Z';
    const ledger = (created_at: string): LedgerEntry[] => [
      entry('p1'),
      entry('p2', { created_at }),
    ];
    const extra = clip(1, { predictions: [line('p2')] });
    const retried = (log: Fact[] = []): Parts => ({
      ...parts(0.9),
      clips: [good, extra],
      stored: [...stored, [1, 'p2']],
      answers: [accepted({ kind: 'retry' })],
      log: [...(parts(0.9).log ?? []), told('clip.retrying', { ...skipped, attempt: 0 }), ...log],
    });
    expect(kindsOf(ledger(later), [ended(retried())])).toEqual(['wrong_end']);
    // The same bill, had it been there already.
    expect(kindsOf(ledger(AT), [ended(retried())])).toEqual([]);
  });

  it('is judged by the cap of its time', () => {
    const answers = [accepted(raise)];
    const job = { max_cost_usd: 5 };
    const before = ended({ ...parts(0.6, [raised]), answers, job });
    expect(kindsOf([entry('p1')], [before])).toEqual(['wrong_end']);
    const log = [...(parts(0.6).log ?? []), raised];
    expect(kindsOf([entry('p1')], [ended({ ...parts(0.6), log, answers, job })])).toEqual([]);
  });

  it('may have been kept out by predictions of unknown cost', () => {
    const open = clip(0, {
      predictions: [line('p1', { status: 'processing', billed: null, cost_usd: null })],
    });
    const cheap = clip(0, { predictions: [line('p1', { cost_usd: 0.05 })] });
    const ledger = [entry('p1', { usd: 0.05 })];
    const of = (clip0: Clip, more: Fact[] = []): Parts => ({
      ...parts(0.6),
      clips: [cheap, skipped],
      log: [told('clip.completed', clip0), ...more, at(told('clip.canceled', skipped))],
    });
    expect(kindsOf(ledger, [ended(of(open))])).toEqual([]);
    expect(kindsOf(ledger, [ended(of(cheap))])).toEqual(['wrong_end']);
    const message = 'it could not be confirmed that nothing was left running; look';
    expect(kindsOf(ledger, [ended(of(cheap, [{ type: 'job.warning', message }]))])).toEqual([]);
  });
});

describe('a clip whose next attempt did not fit', () => {
  const first = line('p2', { status: 'failed' });
  const tried = clip(1, { status: 'failed', error, predictions: [first] });
  const parts = (cap: number, more: Fact[] = []): Parts => ({
    clips: [good, tried],
    stored,
    plan: { max_cost_usd: cap, batch_size: 2 },
    faults: [NO_FAULTS, { ...NO_FAULTS, extra: 1 }],
    log: [
      told('clip.submitted', { ...tried, error: null }),
      ...more,
      at(told('clip.failed', tried)),
    ],
  });
  const ledger = [entry('p1'), entry('p2', { status: 'failed' })];

  it('may have had to leave room for others, and not more than that', () => {
    expect(kindsOf(ledger, [ended(parts(1.39))])).toEqual([]);
    expect(kindsOf(ledger, [ended(parts(1.4))])).toEqual(['wrong_end']);
  });

  it('is judged by the cap before its attempt failed', () => {
    const more = { answers: [accepted(raise)], job: { max_cost_usd: 5 } };
    const retrying = told('clip.retrying', { ...tried, attempt: 1 });
    const since = ended({ ...parts(1, [raised, retrying]), ...more });
    expect(kindsOf(ledger, [since])).toEqual([]);
    const log = [raised, ...(parts(1).log ?? [])];
    expect(kindsOf(ledger, [ended({ ...parts(1), ...more, log })])).toEqual(['wrong_end']);
  });
});
