/**
 * Job ids that are derived from an `Idempotency-Key`: `key-` and 40 hexadecimal digits. A plan may name one only in a
 * request with that key; otherwise it would occupy the id of the job that the key's client is going to start. Pure.
 */
import type { PlanProblem } from './plan-problems.schema.js';

const OF_A_KEY = /^key-[0-9a-f]{40}$/;

/** `value`: the plan as it was sent. `own`: the id that the request's own key stands for; null without a key. */
export function reservedIdProblem(value: unknown, own: string | null): PlanProblem | null {
  const { job_id } = Object(value) as { job_id?: unknown };
  if (typeof job_id !== 'string' || !OF_A_KEY.test(job_id) || job_id === own) return null;
  return {
    path: 'job_id',
    message: `expected an id that is not made of an Idempotency-Key ("key-" and 40 hexadecimal digits), got "${job_id}"`,
  };
}
