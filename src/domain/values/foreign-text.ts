/**
 * Makes text from plans, providers and files harmless for the place where it is shown. Pure.
 *
 * FOREIGN-TEXT-1 No control character reaches a terminal or a log: no escape sequence, no line break that begins another entry, no
 *    mark that changes the direction of text.
 * FOREIGN-TEXT-2 Markdown shows the text as it is: it becomes no link, image, markup or HTML, so nothing is fetched.
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

/** Several lines: line breaks are kept, other control characters are removed (FOREIGN-TEXT-1). */
export const manyLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(CONTROL, ' '))
    .join('\n');

/** Control characters in JSON text, except line breaks, which separate its parts. */
const CONTROL_IN_JSON = /(?!\n)\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** JSON for terminals and logs (FOREIGN-TEXT-1): control characters are escaped, so that it parses to the same value. */
export const safeJson = (json: string): string =>
  json.replace(
    CONTROL_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** Characters with a meaning in CommonMark and GitHub's extensions; `:`, `@` and `www.` turn addresses into links. */
const MARKUP = /[\\`*_[\]<>|~!#&:@]|(?<=www)\./gi;

/** The text as one line of Markdown, cut to `length` characters (FOREIGN-TEXT-1, FOREIGN-TEXT-2). */
export const markdownLine = (text: string, length: number): string =>
  // Cut before it is cleaned: a prompt may have 10,000 characters, and lines are drawn after every event.
  beginningOf(oneLine(beginningOf(text, 2 * length)), length).replace(MARKUP, '\\$&');

const LOOKALIKES: Readonly<Record<string, string>> = {
  '[': '(',
  ']': ')',
  '<': '‹',
  '>': '›',
  '`': "'",
};

/**
 * One line for a label that some views read as Markdown and others show as it is (summaries in Temporal's Web UI):
 * FOREIGN-TEXT-1, and it becomes no image, named link or HTML. Look-alikes replace characters: backslashes would be visible.
 */
export const labelLine = (text: string, length: number): string =>
  beginningOf(oneLine(beginningOf(text, 2 * length)), length).replace(
    /[[\]<>`]/g,
    (mark) => LOOKALIKES[mark] ?? mark,
  );
