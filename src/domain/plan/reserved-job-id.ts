/**
 * Job ids that are made of an `Idempotency-Key`: `key-` and 40 hexadecimal digits. A plan that names one would take the
 * place of the job that a client with that key is going to ask for, so only that client gets it. Pure.
 */
import type { PlanProblem } from './plan-problems.schema.js';

const OF_A_KEY = /^key-[0-9a-f]{40}$/;

/** `value`: a plan as it was given. `own`: the id that the request's own key stands for; null without a key. */
export function reservedIdProblem(value: unknown, own: string | null): PlanProblem | null {
  const { job_id } = Object(value) as { job_id?: unknown };
  if (typeof job_id !== 'string' || !OF_A_KEY.test(job_id) || job_id === own) return null;
  return {
    path: 'job_id',
    message: `expected an id that is not made of an Idempotency-Key ("key-" and 40 hexadecimal digits), got "${job_id}"`,
  };
}
