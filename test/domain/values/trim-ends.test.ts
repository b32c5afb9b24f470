import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutLeading, withoutTrailing } from '../../../src/domain/values/trim-ends.js';

const text = fc.string({ unit: fc.constantFrom('/', '.', '_', 'a', '\u{1f3ac}') });

it('trims exactly what the equivalent patterns trim', () => {
  fc.assert(
    fc.property(text, (some) => {
      expect(withoutTrailing(some, '/')).toBe(some.replace(/\/+$/, ''));
      expect(withoutTrailing(withoutLeading(some, '._'), '._')).toBe(
        some.replaceAll(/^[._]+|[._]+$/g, ''),
      );
    }),
  );
});

it('reads a long row of characters once', () => {
  const row = '/'.repeat(2_000_000);
  expect(withoutTrailing(`${row}a`, '/')).toBe(`${row}a`);
  expect(withoutTrailing(`a${row}`, '/')).toBe('a');
  expect(withoutLeading(`${row}a`, '/')).toBe('a');
});
