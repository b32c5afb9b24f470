/** All activities, assembled from the ports they need. The workflow sees their types only. */
import { createArchiveJob } from './archive-job.js';
import type { Deps } from './deps.js';
import { createEndLost } from './settle-lost.js';
import { createGenerateClip } from './generate-clip.js';
import { createKeepLog } from './archive-log.js';
import { createPrepareReferences } from './prepare-references.js';
import { createResolvePlan } from './resolve-plan.js';
import { createSettlePrediction } from './settle-prediction.js';
import { createStoreClip } from './store-clip.js';

/**
 * `paid`: the task queue whose rate is the rate of creates. `hold`: the one without a rate, for executions that continue with
 * the prediction they have.
 */
export const createPaidActivities = (deps: Deps, on: 'paid' | 'hold') => ({
  generateClip: createGenerateClip(deps, { may_create: on === 'paid' }),
});
export type PaidActivities = ReturnType<typeof createPaidActivities>;

export const createActivities = (deps: Deps) => ({
  resolvePlan: createResolvePlan(deps),
  prepareReferences: createPrepareReferences(deps),
  storeClip: createStoreClip(deps),
  settlePrediction: createSettlePrediction(deps),
  endLost: createEndLost(deps),
  keepLog: createKeepLog(deps),
  archiveJob: createArchiveJob(deps),
});
export type Activities = ReturnType<typeof createActivities>;
