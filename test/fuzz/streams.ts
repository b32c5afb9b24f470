/** Any bytes as an event stream, to the parser and the client's follower: events in order, and a bounded memory. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { openEvents } from '../../src/client/create-client.js';
import { followEvents } from '../../src/client/follow-events.js';
import { createSseParser } from '../../src/client/sse-parser.js';
import { createTransport } from '../../src/client/transport.js';
import { eventOf } from '../terminal/jobs.js';
import { scripted, status } from '../support/scripted-server.js';
import type { Answer } from '../support/scripted-server.js';
import { anyJson, mutated, oddText, propertyOf } from './fuzzer.js';
import type { Fuzzer } from './fuzzer.js';

const MOST = 4_000;

const end = fc.constantFrom('\n', '\r\n', '\r');
const line = fc
  .tuple(
    fc.constantFrom('event: ', 'id: ', 'data: ', 'data:', ': ', 'retry: ', '', 'data'),
    fc.oneof(
      fc.constantFrom('snapshot', 'clip.progress', 'job.warning', '1', '2', 'null', '{}', '[]'),
      mutated(eventOf(1), 2),
      anyJson,
      oddText,
    ),
    end,
    fc.constantFrom('', '\n', '\r\n'),
  )
  .map((parts) => parts.join(''));
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(''));
const pieces = fc.tuple(
  fc.oneof(
    { weight: 5, arbitrary: text.map((whole) => Buffer.from(whole)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  ),
  fc.array(fc.nat(5_000), { maxLength: 6 }),
);

const framesOf = (parts: readonly string[], most: number) => {
  const parser = createSseParser(most);
  try {
    return parts.flatMap((part) => parser.push(part));
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return 'too long';
  }
};

const sending =
  (bytes: Uint8Array): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bytes);
  };

export const streams: Fuzzer = {
  name: 'event stream',
  runs: 250,
  async open() {
    return {
      property: propertyOf(pieces, async ([bytes, cuts]) => {
        const whole = new TextDecoder().decode(bytes);
        const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b)];
        const parts = places.map((from, index) => whole.slice(from, places[index + 1]));
        const frames = framesOf([whole], Infinity);
        expect(framesOf(parts, Infinity)).toEqual(frames);
        for (const { data } of [framesOf(parts, MOST)]
          .flat()
          .filter((frame) => typeof frame === 'object')) {
          expect(data.length).toBeLessThanOrEqual(MOST);
        }
        await using server = await scripted([sending(bytes), status(204)]);
        let last = 0;
        const transport = createTransport({ baseUrl: server.url });
        const options = {
          open: (position: number | null, signal: AbortSignal) =>
            openEvents(transport, 'x', position, { signal }),
          after: 0,
          signal: new AbortController().signal,
          backoff: () => 1,
        };
        for await (const item of followEvents(options)) {
          if (item.kind === 'event') {
            expect(item.event.seq).toBe(last + 1);
            last = item.event.seq;
          }
          if (item.kind === 'snapshot') {
            expect(Number.isSafeInteger(item.job.seq)).toBe(true);
            last = item.job.seq;
          }
        }
      }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};
