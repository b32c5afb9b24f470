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
  } catch (error) {
    return { kind: 'broken', message: explain(text, error) };
  }
}

function explain(text: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const position = /position (\d+)/.exec(reason)?.[1];
  const short = reason.replace(/\s*(?:in JSON )?at position.*$/s, '').replace(/ in JSON$/, '');
  if (position === undefined) return `This is not JSON: ${short}.`;
  const before = text.slice(0, Number(position)).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `This is not JSON: ${short} at line ${String(before.length)}, column ${String(column)}.`;
}
