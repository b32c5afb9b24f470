/** A job that was terminated before any worker took it up, with every query of its run refused by Temporal. */
import { expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { read } from '../api/harness.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

it('a job that was terminated before it began is over for its readers, whose stream ends, and can be retried', async () => {
  await using world = await World.create();
  const first = await world.start(planOf(['one', 'two', 'three']));
  await first.handle.terminate('before any worker came');
  await world.startWorker();

  const api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'error' } });
  await using _ = { [Symbol.asyncDispose]: () => api.close() };
  const path = `${api.url}/v1/jobs/${first.handle.workflowId}`;
  const job = (await (await fetch(path)).json()) as Job & { stale?: boolean };
  expect(job).toMatchObject({ status: 'failed', total_clips: 3, canceled_clips: 3 });
  expect(job.stale).not.toBe(true);
  const reader = await read(`${path}/events?after=0`);
  expect(await reader.ended).toBe(true);
  const ids = reader.frames.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  expect(ids).toHaveLength(job.seq);

  const answer = await fetch(`${path}/retry`, { method: 'POST' });
  expect(answer.status, await answer.clone().text()).toBe(202);
  const again: unknown = await world.client.workflow.getHandle(first.handle.workflowId).result();
  expect(again).toMatchObject({ status: 'succeeded', successful_clips: 3 });
  expect(await world.stats()).toMatchObject({ creates: 3 });
});
