/**
 * Where a text stops being JSON: the position of its first mistake, or its length when it ends too early.
 * For texts that JSON.parse refused: Node 20 tells the position of some mistakes and not of others. Pure.
 */

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

const SPACE = /[ \t\r\n]*/y;
const STRING_PART = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y; // eslint-disable-line no-control-regex -- JSON forbids them
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

const endOf = (pattern: RegExp, text: string, from: number): number | null => {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : null;
};

/** A whole string's end, or where it breaks off. */
function stringEnd(text: string, from: number): { end: number; whole: boolean } {
  const end = endOf(STRING_PART, text, from) ?? from;
  return text[end] === '"' ? { end: end + 1, whole: true } : { end, whole: false };
}

export interface Mistake {
  /** What stands there: a word of at most 20 characters, or one character; null at the end of the text. */
  found: string | null;
  /** Counted from 1. */
  line: number;
  column: number;
}

/** Where a text that JSON.parse refused breaks off, as people look for it. */
export function mistakeIn(text: string): Mistake {
  const position = firstMistake(text);
  const lines = text.slice(0, position).split('\n');
  const found = /^[\w.+-]{1,20}|^./su.exec(text.slice(position, position + 20))?.[0] ?? null;
  return { found, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

export function firstMistake(text: string): number {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = endOf(SPACE, text, 0) ?? 0;
  for (; at < text.length; at = endOf(SPACE, text, at) ?? at) {
    const step = next(text, at, expected, open.at(-1));
    if (step === null) return at;
    if (step.mistake === true) return step.end;
    if (step.opens !== undefined) open.push(step.opens);
    if (step.closes === true) open.pop();
    expected = step.then ?? 'comma or end';
    at = step.end;
  }
  return at;
}

interface Step {
  end: number;
  /** What must follow; a comma or an end when absent. */
  then?: Expected;
  opens?: '{' | '[';
  closes?: true;
  mistake?: true;
}

/** What the text at `at` means there; null when it may not stand there. */
function next(
  text: string,
  at: number,
  expected: Expected,
  inside: '{' | '[' | undefined,
): Step | null {
  const char = text[at];
  const end = at + 1;
  const closing = inside === '{' ? '}' : inside === '[' ? ']' : null;
  if (char === closing && expected.endsWith('or end')) return { end, closes: true };
  switch (expected) {
    case 'colon':
      return char === ':' ? { end, then: 'value' } : null;
    case 'comma or end':
      if (char !== ',' || inside === undefined) return null;
      return { end, then: inside === '{' ? 'key' : 'value' };
    case 'key':
    case 'key or end': {
      if (char !== '"') return null;
      const key = stringEnd(text, at);
      return key.whole ? { end: key.end, then: 'colon' } : { end: key.end, mistake: true };
    }
    case 'value':
    case 'value or end':
      return value(text, at);
  }
}

function value(text: string, at: number): Step | null {
  const char = text[at];
  if (char === '{') return { end: at + 1, opens: '{', then: 'key or end' };
  if (char === '[') return { end: at + 1, opens: '[', then: 'value or end' };
  if (char === '"') {
    const string = stringEnd(text, at);
    return string.whole ? { end: string.end } : { end: string.end, mistake: true };
  }
  const end = endOf(SCALAR, text, at);
  return end === null ? null : { end };
}
