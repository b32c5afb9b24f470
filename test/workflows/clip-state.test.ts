/** The state of a clip that goes through several models: which prediction belongs to which, and what it counts for. */
import { describe, expect, it } from 'vitest';
import { problem } from '../../src/domain/job/failure-kinds.js';
import type { Prediction } from '../../src/domain/job/job.schema.js';
import { ClipState } from '../../src/workflows/clip-state.js';
import { predictionWith, queuedClip } from '../support/clips.js';

const clip = queuedClip(0);
const line = (id: string, more: Partial<Prediction> = {}): Prediction =>
  predictionWith({ id, status: 'failed', ...more });
const stateOf = (): ClipState =>
  new ClipState(
    clip,
    null,
    {},
    new Map([
      ['a/b', 0.4],
      ['c/d', 1],
    ]),
  );

describe('the state of a clip with several models', () => {
  it('counts a cost that is not known with the estimate of its own model', () => {
    const state = stateOf();
    state.startRound();
    state.enter(line('p1'));
    state.switchTo('c/d');
    state.startRound();
    state.enter(line('p2'));
    expect(state.predictions.map(({ model }) => model)).toEqual(['a/b', 'c/d']);
    expect([state.spent, state.estimate]).toEqual([1.4, 1]);
    state.switchTo('a/b');
    expect([state.spent, state.estimate]).toEqual([1.4, 0.4]);
  });

  it('counts a create that may have come through with the estimate of the dearest model', () => {
    const state = stateOf();
    state.countUnknownCreate();
    expect(state.spent).toBe(1);
  });

  it('takes a prediction of the model before for no attempt on the next', () => {
    const state = stateOf();
    state.startRound();
    state.failAttempt({ attempt: 3, error: problem('provider_error', ''), delay: 0 });
    state.switchTo('c/d');
    state.startRound();
    state.enter(line('late', { status: 'processing' }), 'a/b');
    expect(state.currentPrediction).toBeNull();
    expect(state.openPredictions).toMatchObject([{ id: 'late', model: 'a/b' }]);
    expect(state.memory([])).toMatchObject({ model: 'c/d', failed_attempts: 0, predictions: [] });
  });

  it('begins again on the first model, or on the one that something is carried over on', () => {
    const state = stateOf();
    state.switchTo('c/d');
    state.resetModel();
    expect(state.model).toBe('a/b');
    const cutOff = { clip_index: 0, unknown: 0, cut_off: new Date().toISOString(), model: 'c/d' };
    const interrupted = new ClipState(
      clip,
      900,
      cutOff,
      new Map([
        ['a/b', 0.4],
        ['c/d', 1],
      ]),
    );
    expect(interrupted.carried).toEqual(cutOff);
    expect(interrupted.model).toBe('c/d');
    expect(interrupted.startRound()).toEqual({ prediction: null, since: cutOff.cut_off });
    interrupted.endRound();
    interrupted.resetModel();
    expect(interrupted.model).toBe('a/b');
  });
});

describe('the state of a clip with one model', () => {
  it('names none', () => {
    const state = new ClipState(clip, null);
    state.startRound();
    state.enter(line('p1'));
    expect(state.predictions[0]).not.toHaveProperty('model');
    expect(state.memory([])).not.toHaveProperty('model');
    expect(state.spent).toBe(0.4);
  });
});
