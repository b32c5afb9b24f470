/** Floats behave like the decimals that people wrote. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addUsd,
  decimal,
  differsByMore,
  roundUsd,
  sumUsd,
} from '../../../src/domain/values/decimal.js';
import { budgetOf } from '../../support/budgets.js';
import { asClipIndex, asUsd } from '../../../src/workflows/signal-input.js';

/** Millionths, up to a million. */
const millionths = fc.integer({ min: -1e12, max: 1e12 });
const cents = fc.integer({ min: 1, max: 1_000_000 }).map((n) => n / 100);

describe('decimal', () => {
  it('leaves every number of six decimals unchanged', () => {
    fc.assert(fc.property(millionths, (n) => Object.is(decimal(n / 1e6), n / 1e6 + 0)));
  });

  it('makes sums and differences of decimals exact', () => {
    fc.assert(
      fc.property(millionths, millionths, (a, b) => {
        expect(decimal(a / 1e6 + b / 1e6)).toBe((a + b) / 1e6);
        expect(decimal(a / 1e6 - b / 1e6)).toBe((a - b) / 1e6 + 0);
      }),
    );
  });

  it('changes no number twice, makes no NaN, and never a negative zero', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const once = decimal(value);
        expect(decimal(once)).toBe(once);
        expect(Number.isFinite(once)).toBe(true);
        expect(Object.is(once, -0)).toBe(false);
      }),
      { examples: [[-0], [-1e-9], [Number.MAX_VALUE], [1e300], [5e-324]] },
    );
  });

  it('compares a difference with a limit as decimals', () => {
    expect(differsByMore(7.1, 5.1, 2)).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (n) => {
        expect(differsByMore((n + 2000) / 1000, n / 1000, 2)).toBe(false);
        expect(differsByMore((n + 2001) / 1000, n / 1000, 2)).toBe(true);
      }),
    );
  });
});

describe('money', () => {
  it('adds up to the millionth of a dollar, by one rounding', () => {
    fc.assert(
      fc.property(fc.array(millionths, { maxLength: 100 }), (list) => {
        const usd = list.map((n) => n / 1e6);
        const exact = list.reduce((sum, n) => sum + n, 0) / 1e6 + 0;
        expect(addUsd(...usd)).toBe(exact);
        expect(sumUsd(usd)).toBe(exact);
        expect(roundUsd(exact)).toBe(exact);
      }),
    );
    expect(sumUsd([0.1, null])).toBeNull();
    expect(addUsd(0.1, null, 0.2)).toBe(0.3);
  });

  it('fits a cap that is exactly the sum, for any prices', () => {
    fc.assert(
      fc.property(fc.array(cents, { minLength: 1, maxLength: 20 }), (prices) => {
        const accounts = prices.map((usd, clip_index) => ({ clip_index, usd }));
        const { reserve } = budgetOf(addUsd(...prices), accounts);
        for (const { clip_index } of accounts) expect(reserve(clip_index)).toBe(true);
        const { budget } = budgetOf(addUsd(...prices, -0.01), accounts);
        expect(budget.affordable(prices.map((_, n) => n))).toBe(prices.length - 1);
      }),
    );
  });
});

describe('numbers in signals', () => {
  it('are rounded like those of a plan', () => {
    expect(asUsd({ max_cost_usd: 0.1 + 0.2 })).toBe(0.3);
    expect(asUsd({ max_cost_usd: 1e-7 })).toBeNull();
    expect(asUsd({ max_cost_usd: null })).toBeNull();
    expect(asClipIndex({ clip_index: 2.0000000000000004, completed_at: null })).toBe(2);
    expect(asClipIndex({ clip_index: -1e-17 })).toBe(0);
    expect(asClipIndex({ clip_index: 2.5 })).toBeNull();
    expect(asClipIndex({ clip_index: null })).toBeNull();
  });
});
