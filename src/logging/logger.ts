/**
 * The log of a process: pino's JSON, one line an entry, on stderr; on a terminal the same entries as lines for people.
 * What a command says to the person who called it is no log and does not come here (decision 54).
 *
 * LOG-1 an entry is written before the call returns: no worker thread, nothing lost and nothing waited for at the exit.
 * LOG-2 no control character reaches a terminal or a file, whatever text an entry holds.
 * LOG-3 no token or key is in an entry: fields that hold one are left out, and paths of requests come without their query.
 * LOG-4 no prompt is in an entry: of errors that carry jobs and plans only what is said of them.
 */
import { createRequire } from 'node:module';
import { pino } from 'pino';
import type { Logger } from 'pino';
import type PinoPretty from 'pino-pretty';
import { manyLines, oneLine, safeJson } from '../domain/values/foreign-text.js';

export type { Logger } from 'pino';

interface Settings {
  /** The part of the product that logs; absent where a process has one log for all of them. */
  name?: 'api' | 'worker';
  /** One of pino's; `LOG_LEVEL` where people choose. */
  level: string;
}

/** LOG-3, at any place of an entry or of an object in it. */
const SECRET_FIELDS = ['authorization', 'token', 'taskToken', 'api_key', 'secret', 'password'];

export const createLogger = ({ name, level }: Settings): Logger =>
  pino(
    {
      level,
      ...(name && { name }),
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        remove: true,
      },
      serializers: {
        err: withoutPayloads,
        req: ({ method, url }: { method: string; url: string }) => ({
          method,
          url: url.split('?')[0] ?? '',
        }),
      },
    },
    destination(process.stderr.isTTY ? forPeople() : safeJson),
  );

/**
 * LOG-4. `details` and `failure` are what Temporal's errors carry from one process to another, such as a whole job.
 */
const PAYLOADS = ['details', 'failure'] as const;

function withoutPayloads(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const entry: Record<string, unknown> = { ...pino.stdSerializers.err(error) };
  for (const name of PAYLOADS) Reflect.deleteProperty(entry, name);
  return entry;
}

/** What a part of a process reports: one sentence on what went wrong, and what the part does about it. */
type Report = (sentence: string) => void;

export const reportsTo =
  (logger: Logger): Report =>
  (sentence) => {
    logger.warn(oneLine(sentence));
  };

/** LOG-1: Node writes stderr synchronously. Looked up at each entry, for `generate` draws its screen around what is written there. */
const destination = (format: (line: string) => string) => ({
  write: (line: string) => process.stderr.write(format(line)),
});

/** LOG-2 before the line is coloured. A stack has several lines; pino-pretty indents them. It is loaded only for a terminal: it takes 90 ms. */
function forPeople(): (line: string) => string {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof PinoPretty;
  const pretty = prettyFactory({ translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' });
  return (line) =>
    pretty(
      JSON.parse(line, (key, value: unknown) => {
        if (typeof value !== 'string') return value;
        return key === 'stack' ? manyLines(value) : oneLine(value);
      }),
    );
}
