/**
 * What goes over the wire, by name: JSON in snake_case, seconds, US dollars, RFC 3339 times in UTC. The schemas that the API
 * checks and describes itself with are the only source; this file loads none of them.
 */
import type { ModelPage } from '../api/schemas.js';

export type { ClipProgress, LivePhase } from '../domain/job/clip-progress.schema.js';
export type { Compensation } from '../domain/job/compensation.schema.js';
export type {
  BufferStrategy,
  Clip,
  ClipStatus,
  Job,
  JobEvent,
  JobSnapshot,
  JobStatus,
  JobSummary,
  Prediction,
  Problem,
  Progress,
  UnitPrice,
  Wait,
} from '../domain/job/job.schema.js';
export type { FailureKind } from '../domain/job/failure-kinds.js';
export type { Condition } from '../domain/models/row.js';
export type { PlanProblem } from '../domain/plan/plan-problems.schema.js';
export type { ClipPrompt, Plan } from '../domain/plan/plan.schema.js';
export type { ClipEstimate, Comparison, Estimate } from '../domain/pricing/estimate.schema.js';
export type { HttpProblem, JobPage, JobQuery, MediaToken, Readiness } from '../api/schemas.js';

export type ModelRow = ModelPage['models'][number];
