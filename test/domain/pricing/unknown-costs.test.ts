/** Unknown costs are counted, are never zero, and are the same in every fold of the events. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continueJob } from '../../../src/domain/job/continue-job.js';
import { settle } from '../../../src/domain/pricing/cost.js';
import { emptyJob } from '../../../src/domain/job/initial-job.js';
import type { Clip, Job, Prediction, UnitPrice } from '../../../src/domain/job/job.schema.js';
import { addUsd } from '../../../src/domain/values/decimal.js';
import {
  apply,
  costsOf,
  isClipOver,
  record,
  unknownCosts,
  withTotals,
} from '../../../src/domain/job/progress.js';
import { jobSchema } from '../../../src/domain/job/job.schema.js';
import { ClipState } from '../../../src/workflows/clip-state.js';
import { budgetOf } from '../../support/budgets.js';
import { predictionWith, queuedClip } from '../../support/clips.js';
import { describeJob } from '../../../src/workflows/current-details.js';

const AT = '2026-11-28T10:00:00.000Z';
const BY_RUN_TIME: UnitPrice = { usd: 0.0014, per: 'run_second', as_of: '2026-07-16', source: 'x' };

const line = (more: Partial<Prediction>): Prediction =>
  predictionWith({ completed_at: AT, unit_price: BY_RUN_TIME, ...more });

const clipOf = (clip_index: number, more: Partial<Clip>): Clip => ({
  ...queuedClip(clip_index, { price: BY_RUN_TIME, estimated_cost_usd: 0.25, usual_time: 180 }),
  ...more,
});

const jobOf = (clips: Clip[]): Job =>
  withTotals({
    ...emptyJob({ job_id: 'j', run_id: 'r', created_at: AT, simulated: false }),
    total_clips: clips.length,
    clips,
  });

/** Settled as the activities settle: by any run time, priced or not, or still open. */
const lines = fc.array(
  fc.record({
    status: fc.constantFrom<Prediction['status'][]>(
      'succeeded',
      'failed',
      'canceled',
      'aborted',
      'processing',
    ),
    predict_time: fc.constantFrom(null, 0, 1, 100),
    price: fc.constantFrom(null, BY_RUN_TIME, { ...BY_RUN_TIME, per: 'clip' as const }),
  }),
  { maxLength: 3 },
);
const clips = fc.array(
  fc.record({
    status: fc.constantFrom<Clip['status'][]>(
      'running',
      'retrying',
      'succeeded',
      'failed',
      'canceled',
    ),
    lines,
  }),
  { minLength: 1, maxLength: 5 },
);

const built = (
  all: {
    status: Clip['status'];
    lines: { status: Prediction['status']; predict_time: number | null; price: UnitPrice | null }[];
  }[],
): Clip[] =>
  all.map(({ status, lines: some }, clip_index) => {
    const predictions = some.map(({ price, ...end }, at) => {
      const isOpen = end.status === 'processing';
      const terms = { price, requested_duration: 5, bills_failed: true };
      const settled = isOpen ? { cost_usd: null, billed: null } : settle(terms, end);
      return line({ id: `p${String(at)}`, ...end, unit_price: price, ...settled });
    });
    return clipOf(clip_index, {
      status,
      predictions,
      cost_usd: new ClipState(clipOf(0, { predictions }), null).knownCost,
    });
  });

describe('a run time', () => {
  it('that was not metered leaves the cost unknown: not zero, and not measured by a clock', () => {
    const none = fc.oneof(
      fc.constantFrom(null, NaN, Infinity, -Infinity, -1, 1e9),
      fc.double({ max: -Number.MIN_VALUE, noNaN: true }),
    );
    fc.assert(
      fc.property(none, (predict_time) => {
        const terms = { price: BY_RUN_TIME, requested_duration: 5, bills_failed: true };
        expect(settle(terms, { status: 'succeeded', predict_time })).toEqual({
          cost_usd: null,
          billed: true,
        });
      }),
    );
  });

  it('of zero, as the provider metered it, costs nothing', () => {
    const terms = { price: BY_RUN_TIME, requested_duration: 5, bills_failed: true };
    expect(settle(terms, { status: 'canceled', predict_time: 0 }).cost_usd).toBe(0);
  });

  it('does not matter where the price is for the clip', () => {
    const price = { ...BY_RUN_TIME, per: 'clip' as const };
    const terms = { price, requested_duration: 5, bills_failed: true };
    expect(settle(terms, { status: 'succeeded', predict_time: null }).cost_usd).toBe(0.0014);
  });
});

describe('a total', () => {
  it('is the sum of the known costs, with the number of unknown ones', () => {
    fc.assert(
      fc.property(clips, (all) => {
        const job = jobOf(built(all));
        const every = job.clips.flatMap((clip) =>
          clip.predictions.map((one) => ({ ...one, isOver: isClipOver(clip.status) })),
        );
        expect(job.total_cost_usd).toBe(addUsd(...every.map(({ cost_usd }) => cost_usd)));
        const unknown = every.filter(
          ({ status, cost_usd, isOver }) =>
            cost_usd === null && (status === 'processing' ? isOver : true),
        );
        expect(job.unknown_costs).toBe(unknown.length);
        expect(jobSchema.parse(job).unknown_costs).toBe(unknown.length);
      }),
    );
  });

  it('is the same in every fold, and in the event that ends the job', () => {
    fc.assert(
      fc.property(clips, (all) => {
        const before = jobOf(built(all).map(({ clip_index }) => clipOf(clip_index, {})));
        let [here, there] = [before, before];
        for (const clip of built(all)) {
          const fact = { type: 'clip.submitted' as const, clip_index: clip.clip_index, clip };
          const { job, event } = record(here, fact, AT);
          here = job;
          there = apply(there, event);
        }
        expect(there).toEqual(here);
        expect(here.unknown_costs).toBe(
          here.clips.reduce((sum, clip) => sum + unknownCosts(clip), 0),
        );
        const said = costsOf(here);
        expect(said.unknown_costs ?? 0).toBe(here.unknown_costs);
      }),
    );
  });

  it('of a job that an older release began is counted when it is retried', () => {
    const old = jobOf([clipOf(0, { status: 'failed', predictions: [line({})] })]);
    const { unknown_costs: counted, ...without } = old;
    expect(counted).toBe(1);
    expect(continueJob(jobOf([clipOf(0, {})]), without as Job).unknown_costs).toBe(1);
  });

  it('has no unknown cost while a prediction runs, and one when its clip ends first', () => {
    const open = line({ status: 'processing', completed_at: null, billed: null });
    expect(jobOf([clipOf(0, { status: 'running', predictions: [open] })]).unknown_costs).toBe(0);
    expect(jobOf([clipOf(0, { status: 'canceled', predictions: [open] })]).unknown_costs).toBe(1);
  });
});

describe('the details in Temporal', () => {
  it('show an unknown cost, and a total with one as a minimum', () => {
    const known = clipOf(1, {
      status: 'succeeded',
      cost_usd: 0.5,
      predictions: [line({ cost_usd: 0.5 })],
    });
    const unknown = clipOf(0, { status: 'succeeded', predictions: [line({})] });
    const both = {
      ...known,
      clip_index: 2,
      predictions: [...known.predictions, line({ id: 'q' })],
    };
    const text = describeJob(jobOf([unknown, known, both]));
    expect(text).toContain('at least $1.00 of');
    expect(text).toContain('| 0 | succeeded | 0/3 | 5 s | – | unknown |');
    expect(text).toContain('| 1 | succeeded | 0/3 | 5 s | – | $0.50 |');
    expect(text).toContain('| 2 | succeeded | 0/3 | 5 s | – | at least $0.50 |');
  });
});

describe('a cap', () => {
  it('counts an unknown cost as its estimate, and not as spent', () => {
    const capped = (predictions: Prediction[]) =>
      budgetOf(0.3, [{ clip_index: 0, usd: 0.25, predictions }]);
    const unknown = capped([line({})]);
    expect(unknown.budget.spent).toBe(0.25);
    expect(unknown.fits(0)).toBe(false);
    expect(unknown.budget.spentInWords).toBe(
      '0.25 is spent, unknown costs counted with their estimates',
    );
    const known = capped([line({ cost_usd: 0.01 })]);
    expect(known.budget.spentInWords).toBe('0.01 is spent');
    expect(known.fits(0)).toBe(true);
  });
});
