/**
 * The same check as at every other door, as the job's first activity: its result is history, so catalogue,
 * prices and environment are frozen there. A refused plan fails for good, with every mistake in one message.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ResolvePlanResult } from '../domain/activity.js';
import { checkPlan } from '../domain/check-plan.schema.js';
import { FAILURES, INVALID_PLAN } from '../domain/failures.js';
import { modelUnavailable } from '../domain/models/life-cycle.js';
import { seeded } from '../domain/quality.js';
import type { PlanProblem, ResolvedModel } from '../domain/resolved.js';
import type { Deps } from './deps.js';

export const createResolvePlan =
  (deps: Deps) =>
  async (plan: unknown): Promise<ResolvePlanResult> => {
    const checked = checkPlan(plan, deps.plan);
    if (!checked.ok) throw refusal(checked.problems);
    const resolved = seeded(checked.resolved, jobId());
    await openCreates(deps);
    const { fallbacks } = resolved;
    return {
      resolved: {
        ...resolved,
        model: await pinned(deps, resolved.model),
        ...(fallbacks === undefined
          ? {}
          : {
              fallbacks: await Promise.all(
                fallbacks.map(async (other) => ({
                  ...other,
                  model: await pinned(deps, other.model),
                })),
              ),
            }),
      },
      simulated: deps.simulated,
      timings: deps.timings,
      store: deps.store_id,
      ...(deps.history_limits === undefined ? {} : { history_limits: deps.history_limits }),
    };
  };

const jobId = (): string => Context.current().info.workflowExecution?.workflowId ?? '';

/** From here on every create of the job is written down. Where this is not, creates are looked for as ever. */
async function openCreates({ creates }: Deps): Promise<void> {
  const { info, log } = Context.current();
  const at = new Date(info.scheduledTimestampMs).toISOString();
  await creates.open(jobId(), at).catch((error: unknown) => {
    log.warn('DATA_DIR/creates could not be written', { error });
  });
}

/** With the version that its predictions are created on. */
async function pinned(deps: Deps, model: ResolvedModel): Promise<ResolvedModel> {
  const isUnpinned =
    deps.plan.catalogue.get(model.id)?.official === false && model.version === null;
  return isUnpinned ? { ...model, version: await latestVersion(deps, model.id) } : model;
}

async function latestVersion({ replicate, plan }: Deps, model: string): Promise<string> {
  const answer = await replicate.latestVersion(model);
  if (answer.type === 'found') return answer.version;
  throw ApplicationFailure.create({
    type: answer.kind,
    message: answer.is_model_gone
      ? modelUnavailable(model, plan.catalogue, answer.message)
      : answer.message,
    nonRetryable: !FAILURES[answer.kind].retry,
  });
}

const refusal = (problems: readonly PlanProblem[]): ApplicationFailure =>
  ApplicationFailure.nonRetryable(
    problems.map(({ path, message }) => `${path === '' ? 'plan' : path}: ${message}`).join('\n'),
    INVALID_PLAN,
    problems,
  );
