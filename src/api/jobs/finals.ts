/**
 * The finals of a draft: its plan, read again, becomes the plan of a job of its own, which is started as any other is.
 *
 * FINALS-1 requested twice with the same `Idempotency-Key` or `job_id`, it is one job (submit.ts).
 */
import { isOver } from '../../domain/job/progress.js';
import { finalsOf } from '../../domain/plan/quality.js';
import type { FinalRequest } from '../../domain/plan/plan.schema.js';
import { conflict, invalid } from '../problems.js';
import { noSuchJob, planOf } from './steer.js';
import { submit, type Submitted } from './submit.js';

type Deps = Parameters<typeof submit>[0];

export async function startFinals(
  deps: Deps,
  draftId: string,
  wishes: FinalRequest,
  key: string | null,
): Promise<Submitted> {
  const draft = await deps.snapshot(draftId);
  if (draft === null) throw noSuchJob(draftId);
  const plan = deps.checkPlan(await planOf(deps, draftId, await deps.jobs.find(draftId)));
  if (!plan.ok) throw invalid(plan.problems);
  const finals = finalsOf(plan.plan, draft, wishes);
  if (!finals.ok) {
    const { path, message } = finals;
    throw path === null ? conflict(message) : invalid([{ path, message }]);
  }
  // Which clips have succeeded is not known before the draft's end.
  if (wishes.clips === undefined && !isOver(draft.status)) {
    throw conflict(
      `the draft "${draftId}" is ${draft.status}; name the clips, or wait for its end`,
    );
  }
  return submit(deps, finals.plan, key);
}
