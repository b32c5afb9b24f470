/** Any request to the API: webhooks, cursors, ids in paths, odd bodies. None is answered with a failure of the server. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { harness } from '../api/harness.js';
import { anyJson, oddText, propertyOf } from './fuzzer.js';
import type { Fuzzer } from './fuzzer.js';

const escaped = oddText.map((text) => encodeURIComponent(text.toWellFormed()));
/** As a program that escapes nothing would send it; what cannot stand in a request line is left out. */
const bare = fc
  .string({ unit: 'grapheme-ascii', maxLength: 30 })
  .map((text) => text.replaceAll(/[\s#]/g, ''));
const part = fc.oneof(
  escaped,
  bare,
  fc.constantFrom('job', '0', '-1', '1e3', '%', '%00', '%ff', '..'),
);

const cursor = fc.oneof(
  part,
  fc.oneof(anyJson, oddText).map((text) => Buffer.from(text).toString('base64url')),
);

const places = fc.oneof(
  part.map((id) => `/v1/jobs/${id}`),
  fc.tuple(part, part).map(([id, clip]) => `/v1/jobs/${id}/clips/${clip}/video`),
  fc.tuple(part, part).map(([id, clip]) => `/v1/jobs/${id}/clips/${clip}/retry`),
  fc.tuple(part, cursor).map(([id, after]) => `/v1/jobs/${id}/events?follow=false&after=${after}`),
  fc.tuple(cursor, part).map(([next, status]) => `/v1/jobs?cursor=${next}&status=${status}`),
  cursor.map((next) => `/v1/jobs?cursor=${next}`),
  fc.tuple(part, part).map(([one, two]) => `/${one}/${two}`),
  fc.constantFrom('/v1/jobs', '/v1/jobs/job/max-cost', '/webhooks/replicate', '/v1/jobs/estimate'),
);

const headers = fc.dictionary(
  fc.constantFrom(
    ...['webhook-id', 'webhook-timestamp', 'webhook-signature', 'content-type', 'idempotency-key'],
    ...['last-event-id', 'origin', 'range', 'if-none-match', 'authorization', 'accept'],
  ),
  fc.oneof(
    fc.constantFrom(
      '',
      'v1,',
      'v1,AAAA',
      '-1',
      '9'.repeat(400),
      'bytes=9-1',
      'application/json',
      'null',
    ),
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc.integer({ min: 0, max: 2 ** 31 }).map(String),
  ),
  { maxKeys: 4 },
);

export const requests: Fuzzer = {
  name: 'request',
  runs: 400,
  async open() {
    const { app, jobs } = await harness();
    jobs.add('job');
    const request = fc.record({
      method: fc.constantFrom(
        'GET' as const,
        'POST' as const,
        'POST' as const,
        'HEAD' as const,
        'PUT' as const,
      ),
      // What `inject` reads as another host never leaves it.
      url: places.filter((url) => URL.canParse(url, 'http://localhost')),
      headers,
      payload: fc.oneof(
        anyJson,
        oddText,
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      ),
    });
    return {
      property: propertyOf(request, async ({ method, url, headers: given, payload }) => {
        const withBody = method === 'POST' || method === 'PUT';
        const answer = await app.inject({
          method,
          url,
          headers: given,
          ...(withBody ? { payload } : {}),
        });
        expect(answer.statusCode).toBeLessThan(500);
        if (answer.statusCode >= 400 && method !== 'HEAD') {
          expect(answer.headers['content-type']).toContain('application/problem+json');
        }
      }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};
