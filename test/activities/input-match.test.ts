/** Whose prediction it is, where the provider calls the model by another name or has erased the input. */
import { expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { compareInput } from '../../src/activities/compare-input.js';
import { ERASED, inputMatcher } from '../../src/activities/input-match.js';
import { marksOf } from '../../src/adapters/replicate/input-fingerprint.js';
import { UNCLAIMED } from './paid-activity.js';

const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
const SVD = 'stability-ai/stable-video-diffusion';
const DEPS = UNCLAIMED as unknown as Deps;
const INPUT = { prompt: 'a heron', duration: 5 };

const of = (model: string, input: Record<string, unknown>, stored: [string, object]) =>
  inputMatcher(
    { model, input },
    DEPS,
  )({
    model: stored[0],
    marks: marksOf({ ...stored[1] }),
    is_erased: Object.keys(stored[1]).length === 0,
  });

it('is closest with the same model and the same input, and may have a name that no model has', () => {
  const closest = [
    of(KLING, INPUT, [KLING, INPUT]),
    of(KLING, INPUT, [KLING, { ...INPUT, guidance: 1 }]),
    of(KLING, INPUT, ['kwaivgi/kling-of-tomorrow', INPUT]),
    of(KLING, INPUT, [KLING, {}]),
  ];
  expect(closest).not.toContain(null);
  expect(closest.toSorted((a, b) => Number(a) - Number(b))).toEqual(closest);
  expect(closest.at(-1)).toBe(ERASED);
});

it('is no match with another model of the catalogue, or without a prompt to tell it by', () => {
  expect(of(KLING, INPUT, ['google/veo-3.1', INPUT])).toBeNull();
  const image = { input_image: 'https://a.example/a.png' };
  expect(of(SVD, image, ['stability-ai/renamed', image])).toBeNull();
  expect(of(SVD, image, [SVD, image])).toBe(0);
  expect(of(KLING, INPUT, ['kwaivgi/kling-of-tomorrow', {}])).toBeNull();
});

it('logs a difference once a model and field', () => {
  const said: unknown[] = [];
  const log = {
    info: (message: string, { field }: { field?: string }) => said.push(['info', field, message]),
    warn: (message: string, { field }: { field?: string }) => said.push(['warn', field, message]),
  };
  const stored = { prompt: 'A HERON', duration: 5, seed: 7 };
  for (let times = 0; times < 3; times++) {
    compareInput(
      log,
      { model: 'drifts/one', input: INPUT },
      { model: 'drifts/1', input: stored },
      DEPS,
    );
  }
  expect(said).toEqual([
    ['warn', 'model', expect.stringContaining('drifts/1')],
    ['warn', 'prompt', expect.stringContaining('another value')],
    ['info', 'seed', expect.stringContaining('not sent')],
  ]);
  compareInput(
    log,
    { model: 'drifts/two', input: INPUT },
    { model: 'drifts/two', input: INPUT },
    DEPS,
  );
  compareInput(log, { model: 'drifts/two', input: INPUT }, { model: '', input: {} }, DEPS);
  expect(said).toHaveLength(3);
});
