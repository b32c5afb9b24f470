/** What one clip sees of its job. */
import type { Timings } from '../domain/activity.js';
import type { Problem } from '../domain/failure-kinds.js';
import type { ResolvedPlan } from '../domain/resolved.js';
import type { Budget } from './budget.js';
import type { JobLog } from './job-log.js';

export interface JobContext {
  readonly plan: ResolvedPlan;
  readonly timings: Timings;
  readonly paidTaskQueue: string;
  readonly log: JobLog;
  readonly budget: Budget;
  /** Some failures (no credit, no access) stop the clips that have not started. */
  onClipFailed(error: Problem): void;
}
