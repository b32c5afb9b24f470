/** Cursors of the job list: every one that was not given out is refused by its name, on a real Temporal server. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCursorCodec, START } from '../../../src/api/jobs/list-cursor.js';
import { startApi } from '../../../src/api/server.js';
import { loadConfig } from '../../../src/config.js';
import { eventually } from '../../support/eventually.js';
import { planOf } from '../../support/plans.js';
import { World } from '../../support/world.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64url');

interface Page {
  jobs: { job_id: string }[];
  next_cursor: string | null;
}

/** Of the shapes that a cursor has within, with anything in their places. */
const shaped = fc
  .oneof(
    fc.json(),
    fc
      .tuple(fc.constantFrom(null, 'running', 'odd', 'stored'), fc.base64String())
      .map((parts) => JSON.stringify(parts)),
    // Page tokens of Temporal's own stores: SQL's time and run, Elasticsearch's sort fields.
    fc
      .record({ CloseTime: fc.jsonValue(), StartTime: fc.jsonValue(), RunID: fc.jsonValue() })
      .map((token) =>
        JSON.stringify([null, Buffer.from(JSON.stringify(token)).toString('base64')]),
      ),
    fc
      .record({ SearchAfter: fc.array(fc.jsonValue()) })
      .map((token) =>
        JSON.stringify([null, Buffer.from(JSON.stringify(token)).toString('base64')]),
      ),
    fc
      .tuple(fc.constant('stored'), fc.constant(null), fc.jsonValue(), fc.jsonValue())
      .map((parts) => JSON.stringify(parts)),
  )
  .map(base64);

const made = fc.oneof(
  shaped,
  fc.tuple(shaped, fc.base64String()).map(([cursor, seal]) => `${cursor}.${seal}`),
  fc.string({ minLength: 1, unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.base64String({ minLength: 1 }),
  fc.constantFrom('.', '..', '\0', 'x'.repeat(2_000), 'x'.repeat(8_000)),
);

describe('a cursor of the job list', () => {
  it('is refused with 400 unless this very list gave it out', async () => {
    await using world = await World.create();
    const api = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    const second = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    const elsewhere = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error', namespace: 'another' },
    });
    onTestFinished(async () => {
      await Promise.all([api.close(), second.close(), elsewhere.close()]);
    });
    const list = async (query: Record<string, string>, url = api.url) => {
      const words = new URLSearchParams({ limit: '1', ...query }).toString();
      const answer = await fetch(`${url}/v1/jobs?${words}`);
      return { status: answer.status, body: (await answer.json()) as Page & { errors?: unknown } };
    };
    const refused = async (query: Record<string, string>, url?: string): Promise<void> => {
      const { status, body } = await list(query, url);
      expect([query, status]).toEqual([query, 400]);
      expect(body.errors).toEqual([expect.objectContaining({ path: 'cursor' })]);
    };

    const job_ids = ['a', 'b', 'c'].map((name) => `${name}-${randomUUID()}`);
    await using _ends = {
      [Symbol.asyncDispose]: async () => {
        await Promise.all(job_ids.map((id) => world.client.workflow.getHandle(id).terminate()));
      },
    };
    for (const job_id of job_ids) {
      const answer = await fetch(`${api.url}/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...planOf(['a bay']), job_id }),
      });
      expect(answer.status).toBe(202);
    }
    const given = await eventually('the list to have a second page', async () => {
      const { next_cursor } = (await list({})).body;
      return { done: next_cursor !== null, value: next_cursor ?? '' };
    });

    expect((await list({ cursor: given })).status).toBe(200);
    expect((await list({ cursor: given }, second.url)).status).toBe(200);
    await refused({ cursor: given, status: 'running' });
    await refused({ cursor: given }, elsewhere.url);

    await fc.assert(
      fc.asyncProperty(
        fc.nat(given.length - 1),
        fc.constantFrom('', 'A', '.', '-'),
        async (at, by) => {
          const changed = given.slice(0, at) + by + given.slice(at + 1);
          if (changed !== given) await refused({ cursor: changed });
          if (at > 0) await refused({ cursor: given.slice(0, at) });
        },
      ),
    );
    await fc.assert(
      fc.asyncProperty(made, (cursor) => refused({ cursor })),
      { numRuns: 300 },
    );
  });

  it('is opened by every process of the same data folder, and by no other', async () => {
    using one = testFolder('cursor-one');
    using two = testFolder('cursor-two');
    const filter = { status: null, model: null, label: null, q: null };
    const codec = (folder: string) => createCursorCodec(createDirectoryStore(folder), 'default');
    const processes = Array.from({ length: 8 }, () => codec(one.path));
    const encoded = await Promise.all(processes.map((cursors) => cursors.encode(filter, START)));
    expect(new Set(encoded).size).toBe(1);
    const [cursor = ''] = encoded;
    const position = { among: 'ended', after: { completed_at: 'now', job_id: 'a' } } as const;
    const later = await codec(one.path).encode(filter, position);
    expect(await codec(one.path).decode(filter, later)).toEqual(position);
    await expect(codec(two.path).decode(filter, later)).rejects.toThrow('next_cursor');
    await expect(codec(one.path).decode(filter, cursor)).rejects.toThrow('with the same filters');
    const nowhere = codec('/dev/null/no/folder');
    const own = await nowhere.encode(filter, position);
    expect(await nowhere.decode(filter, own)).toEqual(position);
    await expect(nowhere.decode(filter, later)).rejects.toThrow('next_cursor');
  });
});
