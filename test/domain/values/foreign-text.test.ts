import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  labelLine,
  manyLines,
  markdownLine,
  oneLine,
  safeJson,
} from '../../../src/domain/values/foreign-text.js';

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        '\u001b[31m',
        '\u001b]0;title\u0007',
        '\u202e',
        '\r\n',
        '\u2028',
        '\u0000',
        '\u009b2J',
        'text',
        '😀',
      ],
      ...[
        '![x](http://evil.example/x.png)',
        '<img src=x>',
        '[a](b)',
        '`code`',
        '| a |',
        '**b**',
        '&#60;',
      ],
      ...[
        'https://evil.example',
        'www.evil.example',
        'a@evil.example',
        '# title',
        '~~gone~~',
        '\\',
      ],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('foreign text on one line', () => {
  it('has no control character and no mark that changes the direction of text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), (text) => {
        expect(oneLine(text)).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  it('keeps ordinary text', () => {
    const text = 'A paper boat, 5 s – «naïve» 👩‍👩‍👧 日本語 مرحبا';
    expect(oneLine(text)).toBe(text);
  });
});

describe('JSON and several lines with foreign text', () => {
  const CONTROL = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

  it('have no control sequence of a terminal, and the JSON keeps its value', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), fc.boolean(), (text, isPretty) => {
        const value = { [text]: [text] };
        const json = JSON.stringify(value, null, isPretty ? 2 : 0);
        expect(safeJson(json)).not.toMatch(CONTROL);
        expect(JSON.parse(safeJson(json))).toEqual(value);
        expect(safeJson(json).split('\n')).toHaveLength(json.split('\n').length);
        expect(manyLines(text)).not.toMatch(CONTROL);
        expect(manyLines(`a\n${text}`).startsWith('a\n')).toBe(true);
      }),
    );
  });
});

/** What a renderer of CommonMark shows: a backslash before punctuation goes away, and nothing else is markup. */
const shown = (markdown: string): string => markdown.replace(/\\([!-/:-@[-`{-~])/g, '$1');
/** What would be markup if it stood without a backslash. */
const MARKUP = /(?<!\\)(?:\\\\)*[`*_[\]<>|~!#&:@]/;

describe('foreign text in Markdown', () => {
  it('is shown as it is, without markup, links or images', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), (text) => {
        const line = markdownLine(text, 1_000);
        expect(shown(line)).toBe(oneLine(text));
        expect(line).not.toMatch(MARKUP);
        expect(line).not.toMatch(/www\./i);
      }),
    );
  });

  it('is cut to a number of characters, and never within one', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 60 }),
        (text, length) => {
          const line = shown(markdownLine(text, length));
          expect(Array.from(line).length).toBeLessThanOrEqual(length);
          expect(oneLine(text)).toContain(line.trimEnd());
        },
      ),
    );
  });
});

describe('foreign text as a label', () => {
  it('has nothing that becomes an image, a named link, code or HTML in Markdown, and no added backslash', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), (text) => {
        const label = labelLine(text, 60);
        expect(label).not.toMatch(/[[\]<>`\p{Cc}]/u);
        expect(label.split('\\').length).toBeLessThanOrEqual(text.split('\\').length);
      }),
    );
  });

  it('is unchanged where it has no markup', () => {
    expect(labelLine('A paper boat, 5 s – «naïve»', 60)).toBe('A paper boat, 5 s – «naïve»');
  });
});
