/** What earlier create intents mean for the next attempt. */
import { describe, expect, it } from 'vitest';
import { unsettled } from '../../../src/domain/job/create-intent.js';
import type { NextCreate, EarlierCreate } from '../../../src/domain/job/create-intent.js';

const NOW = Date.UTC(2030, 0, 1, 12);
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const create = (number: number, change: Partial<EarlierCreate> = {}): EarlierCreate => ({
  number,
  at: ago(60),
  run_id: 'run',
  activity_id: 'clip-0',
  execution: 1,
  attempt: 1,
  model: 'a/b',
  input_sha256: 'same',
  ...change,
});
const next: NextCreate = {
  model: 'a/b',
  run_id: 'run',
  chain: 'chain',
  input_sha256: 'same',
  unclear: false,
  known: new Set(['known']),
  since: ago(3_600),
};

describe('creates of the same run', () => {
  it('are settled on an earlier model, with and without an answer', () => {
    const before = [
      create(1, { model: 'c/d' }),
      create(2, { model: 'c/d', prediction_id: 'forgotten' }),
    ];
    expect(unsettled(before, next)).toEqual({ attach: null, open: [] });
  });

  it('are searched for while they have no answer', () => {
    expect(unsettled([create(1)], next)).toEqual({ attach: null, open: [create(1)] });
  });

  it('are settled when nothing was created', () => {
    const begun = [create(1, { prediction_id: null })];
    expect(unsettled(begun, next)).toEqual({ attach: null, open: [] });
  });

  it('are settled when the ledger has their prediction', () => {
    const begun = [create(1, { prediction_id: 'known' })];
    expect(unsettled(begun, next)).toEqual({ attach: null, open: [] });
  });

  it('are settled when a later prediction is in the ledger, even if only the newest one is known', () => {
    const begun = [
      create(1, { prediction_id: 'old' }),
      create(2),
      create(3, { prediction_id: 'known' }),
    ];
    expect(unsettled(begun, next)).toEqual({ attach: null, open: [] });
    expect(unsettled([...begun, create(4)], next)).toEqual({ attach: null, open: [create(4)] });
  });

  it('give the first prediction unknown to the ledger to attach to, however old it is', () => {
    const begun = ['known', 'forgotten', 'newer'].map((prediction_id, index) =>
      create(index + 1, { prediction_id, at: ago(90_000), input_sha256: 'with another upload' }),
    );
    expect(unsettled(begun, next).attach).toBe('forgotten');
  });
});

describe('creates of another run', () => {
  const other = (change: Partial<EarlierCreate> = {}): EarlierCreate =>
    create(1, { run_id: 'other', prediction_id: 'forgotten', ...change });
  const attached = (begun: EarlierCreate, change: Partial<NextCreate> = {}): string | null =>
    unsettled([begun], { ...next, ...change }).attach;

  it('do not count for a job that was started again under the same id', () => {
    expect(attached(other())).toBeNull();
    expect(unsettled([create(1, { run_id: 'other' })], next).open).toEqual([]);
  });

  it('count within the same chain of runs', () => {
    expect(attached(other({ chain: 'chain', at: ago(90_000) }))).toBe('forgotten');
  });

  it('count for a run that may have forgotten one, if they are recent and have the same input', () => {
    const unclear = { unclear: true };
    expect(attached(other(), unclear)).toBe('forgotten');
    expect(attached(other({ input_sha256: 'another' }), unclear)).toBeNull();
    expect(attached(other({ at: ago(3_700) }), unclear)).toBeNull();
    expect(attached(other({ at: ago(3_700), chain: 'chain' }), unclear)).toBeNull();
  });
});
