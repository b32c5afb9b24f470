/** The audit holds what was billed against the caps of its time. */
import { describe, expect, it } from 'vitest';
import type { SteeringRequest } from '../../chaos/evidence.js';
import { accepted, clip, ended, entry, good, kindsOf, LATER, line, refused } from './support.js';
import type { Parts } from './support.js';

describe('an audit of money', () => {
  const clips = [good, clip(1, { predictions: [line('p2')] })];
  const stored: [number, string][] = [
    [0, 'p1'],
    [1, 'p2'],
  ];
  const raise: SteeringRequest = { kind: 'raise_cap', max_cost_usd: 1 };
  const raised: Parts = {
    clips,
    stored,
    plan: { max_cost_usd: 0.4 },
    answers: [accepted(raise)],
    log: [{ type: 'job.warning', at: LATER, max_cost_usd: 1 }],
    job: { max_cost_usd: 1 },
  };

  it('holds what was begun under a cap against that cap, and the rest against the later one', () => {
    const early = [entry('p1'), entry('p2')];
    const late = [entry('p1'), entry('p2', { created_at: LATER, completed_at: LATER })];
    expect(kindsOf(early, [ended(raised)])).toEqual(['overspent']);
    expect(kindsOf(late, [ended(raised)])).toEqual([]);
  });

  it('finds a cap that no request set, and one that was forgotten', () => {
    const ledger = [entry('p1'), entry('p2', { created_at: LATER })];
    expect(kindsOf(ledger, [ended({ ...raised, answers: [] })])).toEqual(['disagreement']);
    const onlyRefused = ended({ ...raised, answers: [refused(raise)] });
    expect(kindsOf(ledger, [onlyRefused])).toEqual(['disagreement']);
    const forgotten = ended({ ...raised, log: [], job: { max_cost_usd: null } });
    expect(kindsOf(ledger, [forgotten])).toEqual(['disagreement', 'overspent', 'lost']);
  });
});
