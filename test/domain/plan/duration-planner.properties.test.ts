/** What must hold of any model, target and buffer (LENGTH-1, LENGTH-2, LENGTH-3 of the planner). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BUFFER_CAP,
  planDuration,
  type LegalDuration,
} from '../../../src/domain/plan/duration-planner.js';

const tenths = (min: number, max: number) =>
  fc.integer({ min: min * 10, max: max * 10 }).map((n) => n / 10);
const legal = fc
  .uniqueArray(tenths(1, 20), { minLength: 1, maxLength: 30 })
  .map((list): LegalDuration[] =>
    [...list].sort((a, b) => a - b).map((seconds) => ({ seconds, value: seconds })),
  );
const strategy = fc.constantFrom('maximum' as const, 'percentage' as const);
const target = tenths(0.1, 60);
const buffer = fc.integer({ min: 100, max: 200 }).map((n) => n / 100);
const ask = (list: LegalDuration[], request: Parameters<typeof planDuration>[1]) =>
  planDuration(list, request).requested_duration;

describe('planDuration for any model', () => {
  const any = [legal, strategy, target, buffer] as const;

  it('requests only lengths that the model makes', () => {
    fc.assert(
      fc.property(...any, (list, s, t, b) =>
        list.some((item) => item.seconds === ask(list, { strategy: s, target: t, buffer: b })),
      ),
    );
  });

  it('never requests less than a target that the model can cover', () => {
    fc.assert(
      fc.property(...any, (list, s, t, b) => {
        const requested = ask(list, { strategy: s, target: t, buffer: b });
        expect(requested).toBeGreaterThanOrEqual(Math.min(t, list.at(-1)?.seconds ?? 0));
      }),
    );
  });

  it('takes the smallest length that covers the target with its capped buffer, otherwise the longest', () => {
    fc.assert(
      fc.property(...any, (list, s, t, b) => {
        const requested = ask(list, { strategy: s, target: t, buffer: b });
        const wanted = s === 'maximum' ? t : Math.max(t, Math.min(t * b, BUFFER_CAP));
        const smaller = list.filter((item) => item.seconds < requested);
        for (const item of smaller) expect(item.seconds).toBeLessThan(wanted + 1e-6);
        if (requested < wanted - 1e-6) expect(requested).toBe(list.at(-1)?.seconds);
      }),
    );
  });

  it('never requests less when the buffer grows', () => {
    fc.assert(
      fc.property(legal, strategy, target, buffer, buffer, (list, s, t, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const less = ask(list, { strategy: s, target: t, buffer: low });
        expect(ask(list, { strategy: s, target: t, buffer: high })).toBeGreaterThanOrEqual(less);
      }),
    );
  });

  it('never requests less when the target grows', () => {
    fc.assert(
      fc.property(legal, strategy, target, target, buffer, (list, s, a, b, factor) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const less = ask(list, { strategy: s, target: low, buffer: factor });
        expect(ask(list, { strategy: s, target: high, buffer: factor })).toBeGreaterThanOrEqual(
          less,
        );
      }),
    );
  });

  it('lets no buffer lengthen a clip beyond ten seconds', () => {
    const fine = Array.from({ length: 600 }, (_, n) => ({ seconds: (n + 1) / 10, value: n }));
    fc.assert(
      fc.property(tenths(0.1, 10), buffer, (t, b) => {
        const requested = ask(fine, { strategy: 'percentage', target: t, buffer: b });
        expect(requested).toBeLessThanOrEqual(BUFFER_CAP);
      }),
    );
  });
});
