/**
 * The check of a plan that API and terminal make too, as the job's first activity: its result is history, so catalogue, prices
 * and environment are frozen there. A refused plan fails for good, with every mistake in one message.
 *
 * RESOLVE-1 Within a workflow task the provider is not asked: the answer is null then, and the workflow runs this as an
 *    activity of its own.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ResolvePlanResult } from '../contract/activities.js';
import { checkPlan } from '../domain/plan/check-plan.schema.js';
import { FAILURES, INVALID_PLAN } from '../domain/job/failures.js';
import { modelUnavailable } from '../domain/models/life-cycle.js';
import { seeded } from '../domain/plan/quality.js';
import type { ResolvedModel } from '../domain/plan/resolved.js';
import type { PlanProblem } from '../domain/plan/plan-problems.schema.js';
import type { Deps } from './deps.js';

/** `at`: when the job asked, by the server's clock. */
export const createResolvePlan =
  (deps: Deps) =>
  async (plan: unknown, at: string): Promise<ResolvePlanResult | null> => {
    const checked = checkPlan(plan, deps.plan);
    if (!checked.ok) throw refusal(checked.problems);
    const resolved = seeded(checked.resolved, jobId());
    const { model, fallbacks } = resolved;
    const mustAsk = [model, ...(fallbacks ?? []).map((other) => other.model)].some((one) =>
      isUnpinned(deps, one),
    );
    if (mustAsk && Context.current().info.isLocal) return null; // RESOLVE-1
    await openCreates(deps, at);
    return {
      resolved: {
        ...resolved,
        model: await pinned(deps, model),
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

/** From `at` on every create of the job is written down. Where that fails, the provider's list is searched instead. */
async function openCreates({ creates }: Deps, at: string): Promise<void> {
  const { log } = Context.current();
  await creates.open(jobId(), at).catch((error: unknown) => {
    log.warn('DATA_DIR/creates could not be written', { error });
  });
}

const isUnpinned = ({ plan }: Deps, { id, version }: ResolvedModel): boolean =>
  plan.catalogue.get(id)?.official === false && version === null;

/** With the version that its predictions are created on. */
const pinned = async (deps: Deps, model: ResolvedModel): Promise<ResolvedModel> =>
  isUnpinned(deps, model) ? { ...model, version: await latestVersion(deps, model.id) } : model;

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
