import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, oneLine, pad, table, truncate, widthOf } from '../../src/terminal/format.js';
import { fit, paint, plainText, span } from '../../src/terminal/span.js';

describe('a bar', () => {
  it('has exactly its width, at any percentage', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 200, noNaN: true }), fc.nat(60), (percent, width) => {
        expect(widthOf(bar(percent, width))).toBe(width);
      }),
    );
    expect(bar(100, 4)).toBe('████');
    expect(bar(0, 4)).toBe('░░░░');
  });
});

describe('a line', () => {
  it('is never wider than asked, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, width) => {
        expect(widthOf(truncate(text, width))).toBeLessThanOrEqual(width);
        expect(widthOf(plainText(fit([span('ab'), span(text)], width)))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('counts wide and combining characters as the terminal does', () => {
    expect(widthOf('日本')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('👩‍🚀')).toBe(2);
    expect(pad('日', 4)).toBe('日  ');
  });

  it('holds no control characters of its text', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0x2ff)), (codes) => {
        const text = String.fromCharCode(...codes);
        // eslint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(oneLine(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('is coloured only where colours are wanted', () => {
    expect(paint([span('ok', 'green')], true)).toBe('\u001b[32mok\u001b[0m');
    expect(paint([span('ok', 'green')], false)).toBe('ok');
  });

  it('stands in columns of equal width', () => {
    expect(
      table(
        [
          ['a', '1'],
          ['bbb', '22'],
        ],
        new Set([1]),
      ),
    ).toEqual(['a     1', 'bbb  22']);
  });
});
