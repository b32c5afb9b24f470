/** The planner by its vectors, for every row of the catalogue, and by the properties that must hold of any model. */
import { describe, expect, it } from 'vitest';
import {
  closestDuration,
  legalDurations,
  planDuration,
} from '../../../src/domain/plan/duration-planner.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import { rowOf } from '../models/rows.js';

const planned = (id: string, target: number, buffer = 1.25) => {
  const { duration } = rowOf(id);
  return planDuration(legalDurations(duration), { strategy: duration.strategy, target, buffer });
};

/** target → requested, with the default buffer of 1.25. */
const VECTORS: Record<string, [strategy: string, pairs: [number, number][]]> = {
  'prunaai/p-video': [
    'percentage',
    [
      [0.1, 1],
      [3, 4],
      [4, 5],
      [5.2, 7],
      [8, 10],
      [9.5, 10],
      [12.3, 13],
      [60, 20],
    ],
  ],
  'kwaivgi/kling-v2.1': [
    'maximum',
    [
      [3, 5],
      [5, 5],
      [5.1, 10],
      [7.5, 10],
      [12, 10],
    ],
  ],
  'kwaivgi/kling-v2.5-turbo-pro': [
    'maximum',
    [
      [0.1, 5],
      [3, 5],
      [5, 5],
      [5.1, 10],
      [7.5, 10],
      [12, 10],
      [60, 10],
    ],
  ],
  'kwaivgi/kling-v2.6': [
    'maximum',
    [
      [5, 5],
      [5.2, 10],
      [10, 10],
    ],
  ],
  'kwaivgi/kling-v3-video': [
    'percentage',
    [
      [1, 3],
      [4, 5],
      [6.4, 8],
      [8, 10],
      [9.5, 10],
      [10.2, 11],
      [14.9, 15],
      [20, 15],
    ],
  ],
  'kwaivgi/kling-v3-omni-video': [
    'percentage',
    [
      [4, 5],
      [8, 10],
      [12, 12],
    ],
  ],
  'google/veo-3.1': [
    'percentage',
    [
      [3, 4],
      [3.2, 4],
      [3.3, 6],
      [4, 6],
      [4.8, 6],
      [5, 8],
      [6.4, 8],
      [7, 8],
      [8, 8],
      [9, 8],
    ],
  ],
  'google/veo-3.1-fast': [
    'percentage',
    [
      [3.2, 4],
      [4, 6],
      [6, 8],
      [12, 8],
    ],
  ],
  'google/veo-3.1-lite': [
    'percentage',
    [
      [3, 4],
      [4.8, 6],
      [6, 8],
    ],
  ],
  'bytedance/seedance-1-pro': [
    'percentage',
    [
      [1, 2],
      [4, 5],
      [5.1, 7],
      [6.4, 8],
      [8, 10],
      [9.5, 10],
      [10, 10],
      [10.5, 11],
      [12, 12],
      [13, 12],
    ],
  ],
  'bytedance/seedance-1-lite': [
    'percentage',
    [
      [4, 5],
      [6.4, 8],
      [9.5, 10],
    ],
  ],
  'bytedance/seedance-2.0': [
    'percentage',
    [
      [1, 4],
      [4, 5],
      [8, 10],
      [14.5, 15],
      [30, 15],
    ],
  ],
  'minimax/hailuo-2.3': [
    'maximum',
    [
      [3, 6],
      [6, 6],
      [6.1, 10],
      [11, 10],
    ],
  ],
  'minimax/hailuo-2.3-fast': [
    'maximum',
    [
      [6, 6],
      [7, 10],
    ],
  ],
  'wan-video/wan-2.5-i2v': [
    'maximum',
    [
      [5, 5],
      [6, 10],
    ],
  ],
  'wan-video/wan-2.2-i2v-fast': [
    'percentage',
    [
      [3, 5.063],
      [4, 5.063],
      [4.8, 6],
      [6, 7.5],
      [7, 7.563],
      [9, 7.563],
    ],
  ],
  'stability-ai/stable-video-diffusion': [
    'maximum',
    [
      [1, 2.333],
      [2.333, 2.333],
      [3, 4.167],
      [6, 4.167],
    ],
  ],
  'thudm/cogvideox-i2v': [
    'none',
    [
      [3, 6.125],
      [6.125, 6.125],
      [10, 6.125],
    ],
  ],
  'lightricks/ltx-video': [
    'maximum',
    [
      [4, 4.042],
      [5, 5.375],
      [6.8, 8.042],
      [10.7, 10.708],
      [12, 10.708],
    ],
  ],
  'kwaivgi/kling-o1': [
    'maximum',
    [
      [2, 3],
      [5, 5],
      [5.1, 6],
      [12, 10],
    ],
  ],
  'bytedance/seedance-2.0-fast': [
    'percentage',
    [
      [1, 4],
      [4, 5],
      [14.5, 15],
      [30, 15],
    ],
  ],
  'bytedance/seedance-2.0-mini': [
    'percentage',
    [
      [3.2, 4],
      [8, 10],
      [16, 15],
    ],
  ],
  'bytedance/seedance-2.5': [
    'percentage',
    [
      [1, 4],
      [4, 5],
      [8, 10],
      [9.5, 10],
      [15.5, 16],
      [29.1, 30],
      [40, 30],
    ],
  ],
  'minimax/h3': [
    'percentage',
    [
      [2, 4],
      [4, 5],
      [6.4, 8],
      [14.2, 15],
      [20, 15],
    ],
  ],
  'wan-video/wan-2.2-t2v-fast': [
    'percentage',
    [
      [3, 5.063],
      [4.8, 6],
      [9, 7.563],
    ],
  ],
  'wan-video/wan-2.7-i2v': [
    'percentage',
    [
      [1, 2],
      [4, 5],
      [12, 12],
      [20, 15],
    ],
  ],
  'alibaba/wan-3': [
    'percentage',
    [
      [1, 2],
      [4, 5],
      [8.1, 10],
      [25.5, 26],
      [60, 30],
    ],
  ],
  'lightricks/ltx-2.5-fast': [
    'percentage',
    [
      [1.6, 2],
      [4, 5],
      [5, 8],
      [6.4, 8],
      [8, 10],
      [10.5, 12],
      [20, 20],
      [21, 20],
    ],
  ],
  'pixverse/pixverse-v6': [
    'maximum',
    [
      [3, 5],
      [5.1, 8],
      [8, 8],
      [9, 10],
      [10.5, 15],
      [20, 15],
    ],
  ],
  'alibaba/happyhorse-1.1': [
    'percentage',
    [
      [2, 3],
      [4, 5],
      [12.5, 13],
      [20, 15],
    ],
  ],
  'xai/grok-imagine-video': [
    'percentage',
    [
      [0.5, 1],
      [4, 5],
      [11, 11],
      [20, 15],
    ],
  ],
  'xai/grok-imagine-video-1.5': [
    'percentage',
    [
      [1.2, 2],
      [8, 10],
      [16, 15],
    ],
  ],
  'runwayml/gen-4.5': [
    'maximum',
    [
      [4, 5],
      [5.1, 10],
      [12, 10],
    ],
  ],
  'vidu/q3-pro': [
    'percentage',
    [
      [0.7, 1],
      [8, 10],
      [15.2, 16],
      [20, 16],
    ],
  ],
  'luma/ray-3.2': [
    'maximum',
    [
      [3, 5],
      [5, 5],
      [6, 10],
      [11, 10],
    ],
  ],
};

describe('planDuration', () => {
  it('has vectors for every row of the catalogue', () => {
    expect(Object.keys(VECTORS).sort()).toEqual([...CATALOGUE.keys()].sort());
  });

  for (const [id, [strategy, pairs]] of Object.entries(VECTORS)) {
    it.each(pairs)(`${id}: %d s asks for %d s`, (target, requested) => {
      expect(planned(id, target)).toMatchObject({
        requested_duration: requested,
        buffer_strategy: strategy,
      });
    });
  }

  it('is not misled by binary fractions', () => {
    expect(planned('bytedance/seedance-1-pro', 5.6).requested_duration).toBe(7);
    expect(planned('bytedance/seedance-1-pro', 1.1 * 4, 1.1).requested_duration).toBe(5);
  });

  it('gives the reason in a sentence with the figures', () => {
    expect(planned('kwaivgi/kling-v2.5-turbo-pro', 5.1).reason).toBe(
      '10 s is the smallest of 5 or 10 s that covers 5.1 s.',
    );
    expect(planned('bytedance/seedance-1-pro', 9.5).reason).toBe(
      '10 s is the smallest of 2 to 12 s that covers 9.5 s × 1.25 = 11.875 s, capped at 10 s.',
    );
    expect(planned('bytedance/seedance-1-pro', 11).reason).toContain('too long for a buffer');
    expect(planned('kwaivgi/kling-v2.1', 12).reason).toBe('12 s exceeds the longest length, 10 s.');
    expect(planned('thudm/cogvideox-i2v', 3).reason).toContain('the only length');
  });

  it('uses the frames per second that the plan asks for', () => {
    const { duration } = rowOf('stability-ai/stable-video-diffusion');
    expect(legalDurations(duration, 24)).toEqual([
      { seconds: 0.583, value: '14_frames_with_svd' },
      { seconds: 1.042, value: '25_frames_with_svd_xt' },
    ]);
  });
});

describe('closestDuration', () => {
  it('takes the shorter of two equally close lengths', () => {
    const legal = legalDurations(rowOf('kwaivgi/kling-v2.1').duration);
    expect(closestDuration(legal, 7.5).seconds).toBe(5);
    expect(closestDuration(legal, 7.6).seconds).toBe(10);
  });
});
