/** What is stored of a job is its end, never a moment at which it was about to continue. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createArchiveJob } from '../../src/activities/archive-job.js';
import type { Deps } from '../../src/activities/deps.js';
import type { ArchiveJobInput } from '../../src/contract/activities.js';
import { emptyJob } from '../../src/domain/job/initial-job.js';
import type { Clip, Job } from '../../src/domain/job/job.schema.js';

const AT = '2026-11-24T12:00:00.000Z';
const identity = { job_id: 'a', run_id: 'run', created_at: AT, simulated: true };

async function archive(clips: Pick<Clip, 'status'>[]): Promise<Job[]> {
  const saved: Job[] = [];
  const world = {
    workflow: () => ({
      progress: () => Promise.resolve({ ...emptyJob(identity), clips }),
      events: () => Promise.resolve({ events: [], last_seq: 0 }),
      plan: () => Promise.resolve({}),
    }),
    store: {
      saveJob: (job: Job) => Promise.resolve(void saved.push(job)),
      savePlan: () => Promise.resolve(),
    },
  } as unknown as Deps;
  const terminal = { type: 'job.completed', error: null, total_cost_usd: 0 } as const;
  const archiveJob = createArchiveJob(world);
  const store = (input: ArchiveJobInput): Promise<unknown> => archiveJob(input);
  await new MockActivityEnvironment().run(store, { terminal, at: AT });
  return saved;
}

describe('the stored job', () => {
  it('is the job with its last event', async () => {
    expect(await archive([{ status: 'succeeded' }, { status: 'failed' }])).toMatchObject([
      { status: 'succeeded', seq: 1, completed_at: AT },
    ]);
  });

  it('is not written when a clip was asked for again in the meantime', async () => {
    expect(await archive([{ status: 'succeeded' }, { status: 'queued' }])).toEqual([]);
  });
});
