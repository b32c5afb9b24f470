/** Prices, estimates and settlements, to the cent. */
import { describe, expect, it } from 'vitest';
import {
  estimateCost,
  increasePercent,
  priceFor,
  settle,
} from '../../../src/domain/pricing/cost.js';
import type { PredictionStatus, UnitPrice } from '../../../src/domain/job/job.schema.js';
import { rowOf } from '../models/rows.js';

const price = (usd: number, per: UnitPrice['per']): UnitPrice => ({
  usd,
  per,
  as_of: '2026-07-16',
  source: 'test',
});

type Facts = [
  price: UnitPrice | null,
  requestedDuration: number,
  predictTime: number | null,
  status: PredictionStatus,
  billsFailed: boolean,
];

/** `settle` by position, so that a row of a table reads in one line. */
const settled = (...facts: Facts): ReturnType<typeof settle> => {
  const [price, requested_duration, predict_time, status, bills_failed] = facts;
  return settle({ price, requested_duration, bills_failed }, { status, predict_time });
};

describe('priceFor', () => {
  it.each([
    ['google/veo-3.1', { generate_audio: true }, 0.4],
    ['google/veo-3.1', { generate_audio: false }, 0.2],
    ['google/veo-3.1', {}, 0.4],
    ['bytedance/seedance-1-pro', { resolution: '480p' }, 0.03],
    ['bytedance/seedance-1-pro', {}, 0.15],
    ['minimax/hailuo-2.3', { duration: 10, resolution: '768p' }, 0.56],
    ['minimax/hailuo-2.3', { duration: 10, resolution: '1080p' }, undefined],
    ['bytedance/seedance-2.0', {}, 0.18],
    ['bytedance/seedance-2.0', { reference_videos: ['v'] }, 0.22],
    ['bytedance/seedance-2.0', { resolution: '4k', reference_videos: [] }, 1],
    ['kwaivgi/kling-v3-video', { mode: '4k', generate_audio: true }, 0.42],
    ['kwaivgi/kling-v3-omni-video', { mode: 'pro', generate_audio: true }, 0.28],
    ['wan-video/wan-2.2-i2v-fast', { resolution: '720p', interpolate_output: true }, 0.145],
  ])('%s with %j costs %d', (id, input, usd) => {
    expect(priceFor(rowOf(id), input)?.usd).toBe(usd);
  });

  it('has the day it was read and its source', () => {
    expect(priceFor(rowOf('google/veo-3.1'), {})).toEqual({
      usd: 0.4,
      per: 'second',
      as_of: '2026-10-05',
      source: 'https://replicate.com/google/veo-3.1',
    });
  });
});

describe('estimateCost', () => {
  it('multiplies by seconds, by one, or by usual run time', () => {
    expect(estimateCost(price(0.07, 'second'), 10, 90)).toBe(0.7);
    expect(estimateCost(price(0.28, 'clip'), 10, 90)).toBe(0.28);
    expect(estimateCost(price(0.0014, 'run_second'), 10, 180)).toBe(0.252);
    expect(estimateCost(null, 10, 90)).toBeNull();
  });
});

describe('settle', () => {
  const second = price(0.07, 'second');
  it.each([
    ['succeeded', true, 0.35, true],
    ['failed', true, 0.35, true],
    ['canceled', true, 0.35, true],
    ['aborted', true, 0, false],
    ['succeeded', false, 0.35, true],
    ['failed', false, 0, false],
    ['canceled', false, 0, false],
  ] as const)('%s with bills_failed %s costs %d', (status, billsFailed, cost, billed) => {
    expect(settled(second, 5, 12, status, billsFailed)).toEqual({ cost_usd: cost, billed });
  });

  it('bills the metered time, and has no cost without it', () => {
    const run = price(0.0014, 'run_second');
    expect(settled(run, 6, 100, 'succeeded', true).cost_usd).toBe(0.14);
    expect(settled(run, 6, null, 'succeeded', true)).toEqual({
      cost_usd: null,
      billed: true,
    });
    expect(settled(null, 6, 100, 'succeeded', true)).toEqual({
      cost_usd: null,
      billed: true,
    });
  });
});

describe('increasePercent', () => {
  it('has one decimal and accepts a price of zero', () => {
    expect(increasePercent(8, 6)).toBe(33.3);
    expect(increasePercent(5, 5)).toBe(0);
    expect(increasePercent(5, 0)).toBe(0);
  });
});
