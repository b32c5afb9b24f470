/** What benchmarks compute, without the time they take. */
import { describe, expect, it } from 'vitest';
import { parseStat } from '../../bench/speed/machine-use.js';
import { figuresOf, promptsOf, readsShare } from '../../bench/speed/order.js';
import type { Heard, Order } from '../../bench/speed/order.js';
import { BEST, even, readsOfPolling, uneven } from '../../bench/speed/renders.js';

describe('the least time of a job', () => {
  it('is the longest lane of a window that starts clips in the order of the plan', () => {
    expect(BEST.window([3, 1, 1, 1, 2], 2)).toBe(5);
    expect(BEST.window(even(50, 1), 5)).toBe(10);
    expect(BEST.window([7], 5)).toBe(7);
  });

  it('is the sum of the longest of each batch', () => {
    expect(BEST.batches([3, 1, 1, 1, 2], 2)).toBe(6);
    expect(BEST.batches(even(50, 1), 5)).toBe(10);
  });
});

describe('uneven renders', () => {
  it('are the same in every run, within their bounds, and spread', () => {
    const renders = uneven(200, [0.5, 3]);
    expect(renders).toEqual(uneven(200, [0.5, 3]));
    expect(renders).not.toEqual(uneven(200, [0.5, 3], 2));
    expect(Math.min(...renders)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...renders)).toBeLessThanOrEqual(3);
    expect(new Set(renders).size).toBeGreaterThan(150);
  });
});

describe('figures of a job', () => {
  const order: Order = { id: 'a', renders: [1, 2], dispatch: 'window', at_once: 1 };
  const at = (milliseconds: number): string => new Date(milliseconds).toISOString();
  const ledger = promptsOf(order).map((prompt, index) => ({
    prompt,
    created_at: at(1_000 + 50 + index * 1_200),
    completed_at: at(2_050 + index * 2_200),
  }));
  const heard: Heard = {
    posted: 1_000,
    done: new Map([
      [0, 2_150],
      [1, 4_270],
    ]),
    stored: new Map([
      [0, 2_200],
      [1, 4_400],
    ]),
    ended: 4_600,
  };

  it('compare what the provider wrote down with what the client heard', () => {
    expect(figuresOf(order, heard, ledger)).toEqual({
      makespan: 1.2,
      reported: [100, 20],
      stored: [50, 130],
      first_create: 50,
      creates: 2,
    });
  });

  it('count predictions of no other job', () => {
    const [other = ''] = promptsOf({ ...order, id: 'ab' });
    const more = [{ prompt: other, created_at: at(0), completed_at: at(1) }, ...ledger];
    expect(figuresOf(order, heard, more)).toEqual(figuresOf(order, heard, ledger));
  });

  it('are refused where a clip was never heard of', () => {
    const deaf = { ...heard, stored: new Map([[0, 2_200]]) };
    expect(() => figuresOf(order, deaf, ledger)).toThrow('clip 1 of a');
  });

  it('hold reads against a client that polls each prediction twice a second', () => {
    expect(readsOfPolling([1, 2.2], 0.5)).toBe(7);
    expect(readsShare(14, { ...order, renders: [1, 2.2] })).toBe(2);
  });
});

describe('the use of a process', () => {
  it('is read from its line in /proc, for any name', () => {
    const fields = ['S', '7', ...Array<string>(9).fill('0'), '100', '50', '30', '20'];
    const line = `42 (a) b (c)) ${[...fields, ...Array<string>(6).fill('0'), '256', '0'].join(' ')}`;
    expect(parseStat(line)).toEqual({ pid: 42, parent: 7, cpu: 2, resident: 2 ** 20 });
  });
});
