/**
 * A pasted or dropped text to JSON, with a mistake told by line and column. Pure. Whether the JSON
 * is a good plan is for the API to say, not for this file.
 */
import { mistakeIn } from '../client/json-mistake.js';

type PlanText =
  { kind: 'empty' } | { kind: 'broken'; message: string } | { kind: 'json'; value: unknown };

export function readPlanText(text: string): PlanText {
  if (text.trim() === '') return { kind: 'empty' };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch {
    const { found, line, column } = mistakeIn(text);
    const got = found === null ? 'the end' : `"${found}"`;
    const message = `This is not JSON: unexpected ${got} at line ${String(line)}, column ${String(column)}.`;
    return { kind: 'broken', message };
  }
}
