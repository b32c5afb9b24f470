/**
 * Why an embedded Temporal server ended before it was ready: what it printed, made into one sentence that says what to
 * do. It logs JSON lines, and where Go panics, a trace that is for nobody's eyes; the reason stands above the trace.
 */
import { stripVTControlCharacters } from 'node:util';
import { portRefusal } from '../http/ports.js';
import type { Wanted } from '../http/ports.js';

export interface LastWords {
  heard: (line: string) => void;
  /** `how` is the way the process ended, in words. */
  reason(how: string, circumstances: Circumstances): Error;
  /** The newest line that tells something. */
  last(): string;
}

export interface Circumstances {
  database: string;
  /** The ports that it was given. */
  ports: readonly Wanted[];
}

const TELLS = /^(panic|fatal error|error):/i;
const KEPT = 20;

export function lastWords(): LastWords {
  let newest = '';
  const telling: string[] = [];
  return {
    heard: (line) => {
      // Colours are for terminals.
      newest = stripVTControlCharacters(line);
      const words = wordsOf(newest);
      if (words !== null && telling.push(words) > KEPT) telling.shift();
    },
    reason: (how, circumstances) => {
      const said = telling.at(-1) ?? newest;
      return (
        taken(telling, circumstances.ports) ??
        damaged(telling, circumstances.database) ??
        new Error(
          `temporal: expected the server to run, but it ended at once (${how}): ${said.slice(0, 300)}`,
        )
      );
    },
    last: () => telling.at(-1) ?? newest,
  };
}

/** What an error of the server says; null for every other line. */
function wordsOf(line: string): string | null {
  if (TELLS.test(line)) return line;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['level'] !== 'ERROR' && entry['level'] !== 'FATAL') return null;
    const parts = [entry['msg'] ?? entry['message'], entry['error']];
    return parts.filter((part) => typeof part === 'string').join(': ');
  } catch {
    return null;
  }
}

/** Ports are looked at before the start; another program may still come in between. */
function taken(telling: readonly string[], ports: readonly Wanted[]): Error | null {
  const inUse = telling.find((words) => words.includes('address already in use'));
  const port = ports.find((wanted) => inUse?.includes(`:${String(wanted.port)}: `) === true);
  return port === undefined ? null : portRefusal({ code: 'EADDRINUSE' }, port);
}

const damaged = (telling: readonly string[], database: string): Error | null =>
  telling.some((words) => /not a database|malformed|corrupt/i.test(words))
    ? new Error(
        `temporal: expected a SQLite database, got ${database}, which is damaged; move it away to start with an empty one.`,
      )
    : null;
