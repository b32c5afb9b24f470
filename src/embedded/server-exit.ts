/**
 * Why an embedded Temporal server ended before it was ready: its output, made into one sentence that says what to do. The server
 * logs JSON lines. When Go panics, the reason stands above a trace that users need not see.
 */
import { stripVTControlCharacters } from 'node:util';
import { portRefusal } from '../http/ports.js';
import type { WantedPort } from '../http/ports.js';

interface ServerOutput {
  add: (line: string) => void;
  /** `exit`: the signal or exit code, in words. */
  exitError(exit: string, server: ServerFacts): Error;
  /** The newest error; where there is none, the newest line. */
  last(): string;
}

interface ServerFacts {
  database: string;
  /** The ports that the server was given. */
  ports: readonly WantedPort[];
}

const ERROR_LINE = /^(panic|fatal error|error):/i;
const MAX_ERRORS = 20;

export function collectServerOutput(): ServerOutput {
  let newest = '';
  const errors: string[] = [];
  return {
    add: (line) => {
      newest = stripVTControlCharacters(line);
      const error = errorIn(newest);
      if (error !== null && errors.push(error) > MAX_ERRORS) errors.shift();
    },
    exitError: (exit, { ports, database }) => {
      const last = errors.at(-1) ?? newest;
      return (
        portTaken(errors, ports) ??
        databaseDamaged(errors, database) ??
        new Error(
          `temporal: expected the server to run, but it ended at once (${exit}): ${last.slice(0, 300)}`,
        )
      );
    },
    last: () => errors.at(-1) ?? newest,
  };
}

/** The message of an error line; null for every other line. */
function errorIn(line: string): string | null {
  if (ERROR_LINE.test(line)) return line;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['level'] !== 'ERROR' && entry['level'] !== 'FATAL') return null;
    const parts = [entry['msg'] ?? entry['message'], entry['error']];
    return parts.filter((part) => typeof part === 'string').join(': ');
  } catch {
    return null;
  }
}

/** Ports are checked before the start; another program may still take one in between. */
function portTaken(errors: readonly string[], ports: readonly WantedPort[]): Error | null {
  const inUse = errors.find((message) => message.includes('address already in use'));
  const port = ports.find((wanted) => inUse?.includes(`:${String(wanted.port)}: `) === true);
  return port === undefined ? null : portRefusal({ code: 'EADDRINUSE' }, port);
}

const databaseDamaged = (errors: readonly string[], database: string): Error | null =>
  errors.some((message) => /not a database|malformed|corrupt/i.test(message))
    ? new Error(
        `temporal: expected a SQLite database, got ${database}, which is damaged; move it away to start with an empty one.`,
      )
    : null;
