import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstMistake, mistakeIn } from '../../src/client/json-mistake.js';

describe('the first mistake of a text that is no JSON', () => {
  it.each([
    ['{"a": }', 6],
    ['{"a": 1,,}', 8],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1, 2', 5],
    ['[1 2]', 3],
    ['{"a": tru}', 6],
    ['{"a": "x\ny"}', 8],
    ['{"a": "\\x"}', 7],
    ['[01]', 1],
    ['[1,]', 3],
    ['{} {}', 3],
    ['{"a": 1]', 7],
    ['{"a": [1 2]}', 9],
    ["{'a': 1}", 1],
    ['{"a": 01}', 6],
    ['[true, nul]', 7],
    ['{"a": {"b": []}, }', 17],
    ['', 0],
  ])('%j breaks off at %d', (text, position) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(firstMistake(text)).toBe(position);
  });

  it('is at the end of every text that JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(firstMistake(text)).toBe(text.length);
      }),
    );
  });

  it('is found after a million brackets', () => {
    expect(firstMistake('['.repeat(1_000_000))).toBe(1_000_000);
  });

  it('is told by line, column and what stands there', () => {
    const text = '{\n  "model": "x",\n  oops\n}';
    expect(mistakeIn(text)).toEqual({ found: 'oops', line: 3, column: 3 });
    expect(mistakeIn('[1,')).toEqual({ found: null, line: 1, column: 4 });
  });

  it('is never before the part that could still have become JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, cut) => {
        const opened = `[${text}`.slice(0, 1 + (cut % (text.length + 1)));
        const position = firstMistake(opened);
        // A cut may fall into a word, a number or an escape, which then starts the mistake.
        expect(opened.slice(position)).toMatch(/^(?:[\w.+-]*|\\(?:u[0-9a-fA-F]{0,3})?)$/);
      }),
    );
  });
});
