/** Job ids that are made of an Idempotency-Key belong to the client with that key. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jobIdOfKey } from '../../src/api/jobs/submit.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { ROOT, startProcess } from '../support/processes.js';
import { harness } from './harness.js';
import { planWith } from '../support/plans.js';
import { testFolder } from '../support/test-folder.js';

const idempotencyKey = fc
  .string({ minLength: 1, maxLength: 255 })
  .filter((key) => key.trim() === key && key !== '');

const ask = (payload: object, key: string | null = null, url = '/v1/jobs') => ({
  method: 'POST' as const,
  url,
  headers: key === null ? {} : { 'idempotency-key': key },
  payload,
});

const paths = (answer: { body: string }): string[] =>
  (JSON.parse(answer.body) as { errors: { path: string }[] }).errors.map(
    ({ path: where }) => where,
  );

describe('a job_id that an Idempotency-Key stands for', () => {
  it('is taken only by the client with that key, for any key', async () => {
    const { app, jobs } = await harness();
    await fc.assert(
      fc.asyncProperty(idempotencyKey, idempotencyKey, async (key, other) => {
        fc.pre(key !== other && !jobs.runs.has(jobIdOfKey(key)));
        const job_id = jobIdOfKey(key);
        for (const url of ['/v1/jobs', '/v1/jobs/estimate']) {
          for (const squatter of [null, other]) {
            const answer = await app.inject(ask(planWith(1, { job_id }), squatter, url));
            expect([answer.statusCode, paths(answer)]).toEqual([400, ['job_id']]);
          }
        }
        expect(jobs.runs.has(job_id)).toBe(false);
        const own = await app.inject(ask(planWith(2), key));
        expect([own.statusCode, own.json<Job>().job_id]).toEqual([202, job_id]);
      }),
      { numRuns: 50 },
    );
  });

  it('may be named together with that key, and repeated without it', async () => {
    const { app, jobs, archive } = await harness();
    const job_id = jobIdOfKey('boat-1');
    const statusOf = async (clips: number, key: string | null, url?: string) =>
      (await app.inject(ask(planWith(clips, { job_id }), key, url))).statusCode;
    expect(await statusOf(2, 'boat-1')).toBe(202);
    expect(await statusOf(2, 'boat-1')).toBe(200);
    expect(await statusOf(2, null)).toBe(200);
    expect(await statusOf(2, null, '/v1/jobs/estimate')).toBe(200);
    expect(await statusOf(3, null)).toBe(409);
    expect(jobs.runs.get(job_id)).toHaveLength(1);

    jobs.tell(job_id, { type: 'job.completed', error: null, total_cost_usd: 0 });
    await archive.save(jobs.latest(job_id).job, jobs.log(job_id));
    jobs.runs.clear();
    expect(await statusOf(2, null)).toBe(200);
    expect(await statusOf(3, null)).toBe(409);
    expect(jobs.runs.size).toBe(0);
  });

  it('is answered with a conflict when a workflow that was started elsewhere has it', async () => {
    const { app, jobs } = await harness();
    jobs.add(jobIdOfKey('boat-2'), 3);
    const answer = await app.inject(ask(planWith(2), 'boat-2'));
    expect(answer.statusCode).toBe(409);
  });

  it('is listed with every other mistake of the plan', async () => {
    const { app } = await harness();
    const plan = { ...planWith(1, { job_id: jobIdOfKey('a') }), colour: 'red' };
    expect(paths(await app.inject(ask(plan))).sort()).toEqual(['colour', 'job_id']);
  });

  it.each([
    'key-',
    'key-1',
    `key-${'a'.repeat(39)}`,
    `key-${'a'.repeat(41)}`,
    `key-${'A'.repeat(40)}`,
    `key-${'g'.repeat(40)}`,
    `KEY-${'a'.repeat(40)}`,
    `key_${'a'.repeat(40)}`,
    `x-key-${'a'.repeat(40)}`,
  ])('leaves %s to plans', async (job_id) => {
    const { app } = await harness();
    expect((await app.inject(ask(planWith(1, { job_id })))).statusCode).toBe(202);
  });

  it('is refused at the terminal with exit code 2', async () => {
    const { path: folder, remove } = testFolder('reserved');
    onTestFinished(remove);
    const plan = path.join(folder, 'plan.json');
    await writeFile(plan, JSON.stringify(planWith(1)));
    const words = ['generate', plan, '--dry-run', '--job-id', jobIdOfKey('a')];
    await using generate = startProcess(['node', path.join(ROOT, 'setup/run.mjs'), ...words], {
      cwd: folder,
    });
    await generate.waitFor(/job_id: expected an id that is not made of an Idempotency-Key/);
    expect(await generate.exit()).toBe(2);
  });
});
