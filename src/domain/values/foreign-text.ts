/**
 * Text from plans, providers and files, made harmless for the place where it is shown. Pure.
 *
 * FOREIGN-TEXT-1 No control character reaches a terminal or a log: not an escape sequence, not a line break that begins a second
 *    entry, not a mark that turns the order of the letters around.
 * FOREIGN-TEXT-2 Markdown shows the text as it was written: no link, picture, markup or HTML comes of it, so nothing is fetched.
 */
import { beginningOf } from './well-formed.js';

/** ANSI sequences, titles, every single control character, and the marks of bidirectional text. */
const CONTROL = new RegExp(
  String.raw`\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]`,
  'gu',
);

/** One line for terminals and logs (FOREIGN-TEXT-1). */
export const oneLine = (text: string): string =>
  text.replace(CONTROL, ' ').replace(/\s+/g, ' ').trim();

/** Several lines, their breaks kept and every other character of FOREIGN-TEXT-1 gone: what is printed to look into something. */
export const manyLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(CONTROL, ' '))
    .join('\n');

/** Within JSON: line breaks stand between its parts, everything else of FOREIGN-TEXT-1 only in its texts. */
const CONTROL_IN_JSON = /(?!\n)\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** JSON for terminals and logs (FOREIGN-TEXT-1): what they would obey is escaped, so that whoever parses it reads the same. */
export const safeJson = (json: string): string =>
  json.replace(
    CONTROL_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** What CommonMark and its GitHub extensions give a meaning to within a line; `:`, `@` and `www.` make links of addresses. */
const MARKUP = /[\\`*_[\]<>|~!#&:@]|(?<=www)\./gi;

/** One line of Markdown that reads as the text does (FOREIGN-TEXT-1, FOREIGN-TEXT-2), cut to `length` characters of the text. */
export const markdownLine = (text: string, length: number): string =>
  // Cut before it is cleaned: a prompt may be 10,000 characters long, and some of this is drawn after every event.
  beginningOf(oneLine(beginningOf(text, 2 * length)), length).replace(MARKUP, '\\$&');

const LOOKALIKES: Readonly<Record<string, string>> = {
  '[': '(',
  ']': ')',
  '<': '‹',
  '>': '›',
  '`': "'",
};

/**
 * One line for a label that some views read as Markdown and others show as it is (summaries in Temporal's Web UI): FOREIGN-TEXT-1, and
 * of FOREIGN-TEXT-2 that no picture, link with a name or HTML comes of it. Backslashes would be seen, so look-alikes stand in.
 */
export const labelLine = (text: string, length: number): string =>
  beginningOf(oneLine(beginningOf(text, 2 * length)), length).replace(
    /[[\]<>`]/g,
    (mark) => LOOKALIKES[mark] ?? mark,
  );
