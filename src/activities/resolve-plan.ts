/**
 * The same check as at every other door, as the job's first activity: its result is history, so catalogue,
 * prices and environment are frozen there. A refused plan fails for good, with every mistake in one message.
 *
 * L1 Within a workflow task nobody outside is asked: the answer is null, and the workflow asks again from outside of one.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ResolvePlanResult } from '../domain/activity.js';
import { checkPlan } from '../domain/check-plan.schema.js';
import { FAILURES, INVALID_PLAN } from '../domain/failures.js';
import type { PlanProblem } from '../domain/resolved.js';
import type { Deps } from './deps.js';

/** `at`: when the job asked, by the server's clock. */
export const createResolvePlan =
  (deps: Deps) =>
  async (plan: unknown, at: string): Promise<ResolvePlanResult | null> => {
    const checked = checkPlan(plan, deps.plan);
    if (!checked.ok) throw refusal(checked.problems);
    const { resolved } = checked;
    const row = deps.plan.catalogue.get(resolved.model.id);
    const isUnpinned = row?.official === false && resolved.model.version === null;
    if (isUnpinned && Context.current().info.isLocal) return null; // L1
    await openCreates(deps, at);
    const version = isUnpinned
      ? await latestVersion(deps, resolved.model.id)
      : resolved.model.version;
    return {
      resolved: { ...resolved, model: { ...resolved.model, version } },
      simulated: deps.simulated,
      timings: deps.timings,
      store: deps.store_id,
      ...(deps.history_limits === undefined ? {} : { history_limits: deps.history_limits }),
    };
  };

/** From `at` on every create of the job is written down. Where this is not, creates are looked for as ever. */
async function openCreates({ creates }: Deps, at: string): Promise<void> {
  const { info, log } = Context.current();
  await creates.open(info.workflowExecution?.workflowId ?? '', at).catch((error: unknown) => {
    log.warn('DATA_DIR/creates could not be written', { error });
  });
}

async function latestVersion({ replicate }: Deps, model: string): Promise<string> {
  const answer = await replicate.latestVersion(model);
  if (answer.type === 'found') return answer.version;
  throw ApplicationFailure.create({
    type: answer.kind,
    message: answer.message,
    nonRetryable: !FAILURES[answer.kind].retry,
  });
}

const refusal = (problems: readonly PlanProblem[]): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    problems.map(({ path, message }) => `${path === '' ? 'plan' : path}: ${message}`).join('\n'),
    INVALID_PLAN,
    problems,
  );
