/**
 * The kind of a text: markup, JSON, a playlist or plain words. Texts come from outside and may be hostile: each function is one
 * pass from left to right, without a pattern that could backtrack.
 */
export type FileFamily =
  'video' | 'image' | 'audio' | 'document' | 'text' | 'archive' | 'unknown' | 'empty';

export interface FileKind {
  /** With its article, for messages: "a WebM video". */
  name: string;
  family: FileFamily;
  /** In one lower-case word: `mp4`, `webm`, `jpeg`. */
  format: string;
}

const SVG: FileKind = { name: 'an SVG image', family: 'image', format: 'svg' };
const HTML: FileKind = { name: 'an HTML page', family: 'text', format: 'html' };
const XML: FileKind = { name: 'an XML document', family: 'text', format: 'xml' };
const JSON_TEXT: FileKind = { name: 'JSON', family: 'text', format: 'json' };
const PLAYLIST: FileKind = { name: 'a playlist', family: 'text', format: 'm3u8' };
const PLAIN: FileKind = { name: 'a text file', family: 'text', format: 'text' };

/** Null: not a text. `head` is the start of a file, and may end in the middle of a character. */
export function textKindOf(head: Buffer): FileKind | null {
  const { text, isText } = decode(head);
  const begin = text.slice(skipSpace(text, 0));
  if (begin.startsWith('<')) return markupKindOf(begin) ?? (isText ? PLAIN : null);
  if (!isText) return null;
  if (begin.startsWith('#EXTM3U')) return PLAYLIST;
  return isJson(begin) ? JSON_TEXT : PLAIN;
}

/** UTF-8, or UTF-16 by its mark or first `<`. The tags of markup are found in every encoding that keeps ASCII. */
function decode(head: Buffer): { text: string; isText: boolean } {
  const label = encodingOf(head);
  try {
    const text = new TextDecoder(label, { fatal: true }).decode(head, { stream: true });
    return { text, isText: !hasControl(text) };
  } catch {
    return { text: head.toString('latin1'), isText: false };
  }
}

/** XML 1.0, appendix F: the mark, or `<` where there is none. */
const ENCODINGS: readonly (readonly [first: number, second: number, encoding: string])[] = [
  [0xff, 0xfe, 'utf-16le'],
  [0xfe, 0xff, 'utf-16be'],
  [0x3c, 0x00, 'utf-16le'],
  [0x00, 0x3c, 'utf-16be'],
];

const encodingOf = (head: Buffer): string =>
  ENCODINGS.find(([first, second]) => head[0] === first && head[1] === second)?.[2] ?? 'utf-8';

/** Tab, line feed, form feed, carriage return and escape are found in texts; no other control is. */
const TEXT_CONTROLS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 && !TEXT_CONTROLS.has(code)) return true;
  }
  return false;
}

const isSpace = (char: string | undefined): boolean =>
  char === ' ' ||
  char === '\t' ||
  char === '\n' ||
  char === '\r' ||
  char === '\f' ||
  char === '\ufeff';

function skipSpace(text: string, from: number): number {
  let index = from;
  while (isSpace(text[index])) index += 1;
  return index;
}

/** What may stand before the first element: how it opens, how it closes. */
const BEFORE_ELEMENT: readonly (readonly [open: string, close: string])[] = [
  ['<!--', '-->'],
  ['<?', '?>'],
  ['<!', '>'],
];

const HTML_ELEMENTS = new Set(
  'html head body script style title meta link base div p span a b h1 h2 h3 center br table pre iframe noscript'.split(
    ' ',
  ),
);

const DOCTYPES: readonly (readonly [start: string, FileKind])[] = [
  ['<!doctype html', HTML],
  ['<!doctype svg', SVG],
];

/** By its first element, or by the doctype before it; each step starts where the last one ended. */
function markupKindOf(text: string): FileKind | null {
  let isXml = false;
  for (let index = 0; ;) {
    index = skipSpace(text, index);
    const opening = BEFORE_ELEMENT.find(([open]) => text.startsWith(open, index));
    if (opening === undefined) return elementKind(text, index) ?? (isXml ? XML : null);
    const [open, close] = opening;
    const named = DOCTYPES.find(([start]) => startsWord(text, index, start));
    if (named !== undefined) return named[1];
    isXml = true;
    const end = endOf(text, index + open.length, open, close);
    if (end < 0) return XML;
    index = end;
  }
}

/** A doctype may hold declarations of its own in square brackets. */
function endOf(text: string, from: number, open: string, close: string): number {
  const end = text.indexOf(close, from);
  if (end < 0) return -1;
  const subset = open === '<!' ? text.slice(from, end).indexOf('[') : -1;
  if (subset < 0) return end + close.length;
  const bracket = text.indexOf(']', from + subset);
  const after = bracket < 0 ? -1 : text.indexOf(close, bracket);
  return after < 0 ? -1 : after + close.length;
}

const startsWord = (text: string, at: number, word: string): boolean =>
  text.slice(at, at + word.length).toLowerCase() === word;

function elementKind(text: string, at: number): FileKind | null {
  if (text[at] !== '<') return null;
  let end = at + 1;
  while (isNameChar(text.charCodeAt(end))) end += 1;
  const name = text.slice(at + 1, end).toLowerCase();
  if (name === '') return null;
  if (name === 'svg' || name.endsWith(':svg')) return SVG;
  return HTML_ELEMENTS.has(name) ? HTML : XML;
}

/** Letters, figures and `-_.:`, and everything beyond ASCII; NaN at the end of the text is none of them. */
function isNameChar(code: number): boolean {
  if (code >= 0x80) return true;
  const char = Number.isNaN(code) ? '' : String.fromCharCode(code);
  return (
    (char >= 'a' && char <= 'z') ||
    (char >= 'A' && char <= 'Z') ||
    (char >= '0' && char <= '9') ||
    (char !== '' && '-_.:'.includes(char))
  );
}

/** What may follow the first bracket; a text in square brackets is not yet a list. */
const AFTER_BRACKET: readonly (readonly [open: string, next: readonly string[]])[] = [
  ['{', ['"', '}']],
  ['[', ['"', '[', '{', ']', '-', 'true', 'false', 'null', ...'0 1 2 3 4 5 6 7 8 9'.split(' ')]],
];

function isJson(text: string): boolean {
  const next = AFTER_BRACKET.find(([open]) => text.startsWith(open))?.[1];
  const index = skipSpace(text, 1);
  return next?.some((item) => text.startsWith(item, index)) ?? false;
}
