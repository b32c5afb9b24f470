/** The book of a clip that goes through several models: whose line is whose, and what it counts for. */
import { describe, expect, it } from 'vitest';
import { initialClip } from '../../src/domain/job/initial-job.js';
import { problem } from '../../src/domain/job/failure-kinds.js';
import type { Prediction } from '../../src/domain/job/job.schema.js';
import { ClipBook } from '../../src/workflows/clip-state.js';

const clip = initialClip({
  clip_index: 0,
  prompt: 'a',
  negative_prompt: '',
  metadata: {},
  target_duration: 5,
  original_target_duration: 5,
  requested_duration: 5,
  buffer_strategy: 'none',
  duration_reason: '',
  input: {},
  price: null,
  estimated_cost_usd: 0.4,
  cost_increase_percent: 0,
  usual_time: 60,
});
const line = (id: string, more: Partial<Prediction> = {}): Prediction => ({
  id,
  attempt: 1,
  status: 'failed',
  url: '',
  created_at: new Date().toISOString(),
  completed_at: null,
  predict_time: null,
  requested_duration: 5,
  unit_price: null,
  cost_usd: null,
  billed: true,
  adopted: false,
  ...more,
});
const book = (): ClipBook =>
  new ClipBook(
    clip,
    null,
    {},
    new Map([
      ['a/b', 0.4],
      ['c/d', 1],
    ]),
  );

describe('a book of several models', () => {
  it('counts what nobody knows the cost of with the estimate of its own model', () => {
    const kept = book();
    kept.begin();
    kept.enter(line('p1'));
    kept.use('c/d');
    kept.begin();
    kept.enter(line('p2'));
    expect(kept.all.map(({ model }) => model)).toEqual(['a/b', 'c/d']);
    expect([kept.spent, kept.estimate]).toEqual([1.4, 1]);
    kept.use('a/b');
    expect([kept.spent, kept.estimate]).toEqual([1.4, 0.4]);
  });

  it('counts what may exist, of a model that nobody knows, as the dearest', () => {
    const kept = book();
    kept.countUnknown();
    expect(kept.spent).toBe(1);
  });

  it('takes a line of the model before for no attempt of the next', () => {
    const kept = book();
    kept.begin();
    kept.end({ attempt: 3, error: problem('provider_error', ''), delay: 0 });
    kept.use('c/d');
    kept.begin();
    kept.enter(line('late', { status: 'processing' }), 'a/b');
    expect(kept.current).toBeNull();
    expect(kept.open).toMatchObject([{ id: 'late', model: 'a/b' }]);
    expect(kept.memory([])).toMatchObject({ model: 'c/d', failed_attempts: 0, predictions: [] });
  });

  it('begins again with the first, or with the one that something is left on', () => {
    const kept = book();
    kept.use('c/d');
    kept.reset();
    expect(kept.model).toBe('a/b');
    const cutOff = { clip_index: 0, unknown: 0, cut_off: new Date().toISOString(), model: 'c/d' };
    const left = new ClipBook(
      clip,
      900,
      cutOff,
      new Map([
        ['a/b', 0.4],
        ['c/d', 1],
      ]),
    );
    expect(left.carried).toEqual(cutOff);
    expect(left.begin()).toMatchObject({ model: 'c/d', since: cutOff.cut_off });
    left.finish();
    left.reset();
    expect(left.model).toBe('a/b');
  });
});

describe('a book of one model', () => {
  it('names none', () => {
    const kept = new ClipBook(clip, null);
    kept.begin();
    kept.enter(line('p1'));
    expect(kept.all[0]).not.toHaveProperty('model');
    expect(kept.memory([])).not.toHaveProperty('model');
    expect(kept.spent).toBe(0.4);
  });
});
