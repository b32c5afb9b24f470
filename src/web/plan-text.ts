/**
 * A pasted or dropped text to JSON, with a mistake told by line and column. Pure. Whether the JSON
 * is a good plan is for the API to say, not for this file.
 */

export type PlanText =
  { kind: 'empty' } | { kind: 'broken'; message: string } | { kind: 'json'; value: unknown };

export function readPlanText(text: string): PlanText {
  if (text.trim() === '') return { kind: 'empty' };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'broken', message: explain(text) };
  }
}

function explain(text: string): string {
  const offset = firstMistake(text);
  const lines = text.slice(0, offset).split('\n');
  const found = /^[\w.+-]+|^./su.exec(text.slice(offset))?.[0];
  const got = found === undefined ? 'the end' : `"${found.slice(0, 20)}"`;
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return `This is not JSON: unexpected ${got} at line ${String(lines.length)}, column ${String(column)}.`;
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;
const NAME = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;

/**
 * Where a text stops being JSON. Browsers' own messages name a position only sometimes, and each in
 * its own words. A stack instead of recursion: a text of a million brackets is only a mistake.
 */
export function firstMistake(text: string): number {
  let at = 0;
  const open: ('{' | '[')[] = [];
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const skip = (character: string): boolean => {
    take(SPACE);
    if (text[at] !== character) return false;
    at += 1;
    take(SPACE);
    return true;
  };
  const name = (): boolean => (take(SPACE), take(NAME)) && skip(':');
  /** True when a whole value stands here; brackets that were opened are on the stack. */
  const value = (): boolean => {
    for (;;) {
      if (skip('{')) {
        if (skip('}')) return true;
        open.push('{');
        if (!name()) return false;
      } else if (skip('[')) {
        if (skip(']')) return true;
        open.push('[');
      } else return (take(SPACE), take(SCALAR));
    }
  };
  for (;;) {
    if (!value()) return at;
    for (let closed = true; closed;) {
      const bracket = open.at(-1);
      closed = bracket !== undefined && skip(bracket === '{' ? '}' : ']');
      if (closed) open.pop();
    }
    take(SPACE);
    if (open.length === 0 || !skip(',')) return at;
    if (open.at(-1) === '{' && !name()) return at;
  }
}
