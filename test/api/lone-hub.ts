/** A hub that follows fake jobs by itself: nothing is archived or recorded, and a job without readers is dropped at once. */
import { ProgressHub } from '../../src/api/stream/progress-hub.js';
import { archiveIn } from '../support/stores.js';
import type { FakeJobs } from './fake-jobs.js';

export const loneHub = (jobs: FakeJobs, every?: number): ProgressHub =>
  new ProgressHub({
    jobs,
    archive: archiveIn('/nonexistent'),
    recorded: async () => null,
    onJob: () => undefined,
    onLost: () => undefined,
    usualTime: () => null,
    hasRenderWorkers: async () => true,
    grace: 0,
    ...(every === undefined ? {} : { every }),
  });
