/**
 * Makes sure that this attempt has a prediction, by the cheapest way that cannot pay twice: attach to the one that is
 * known, search for the one that may exist, and only then create one.
 *
 * G1 An attempt creates another prediction only when the search for the one before has found none, and `MAX_UNCLEAR` in all.
 * ENSURE-1 A create is written down before it is sent (adapters/storage/create-log.ts): what was not written down was not
 *    created, and is not searched for.
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { CreateOutcome, ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { FAILURES, INTERRUPTED, noLongerFits } from '../domain/job/failures.js';
import { modelUnavailable } from '../domain/models/life-cycle.js';
import type { Attempt } from './attempt.js';
import { compareInput } from './compare-input.js';
import type { Deps } from './deps.js';
import { AttemptCreates, searchFrom } from './earlier-creates.js';
import type { EarlierCreates } from './earlier-creates.js';
import type { Execution } from './execution.js';
import { findLost } from './find-lost.js';
import { askAboutAttempt } from './recovered-state.js';
import type { RecoveredState } from './recovered-state.js';
import { serverClock } from './server-clock.js';
import { WAITS } from './waits.js';

export interface StartedPrediction {
  id: string;
  /** Null when only the id is known. */
  last_read: ProviderPrediction | null;
  /** It was not created by this execution. */
  adopted: boolean;
}

/** Creates that may be unclear within one attempt before it is given up. */
const MAX_UNCLEAR = 2;
/** Seconds by which the provider's own deadline outlives ours, so that ours comes first. */
const CANCEL_SLACK = 30;

interface Search {
  attempt: Attempt;
  recovered: RecoveredState;
  creates: AttemptCreates;
}

/** Null when the execution was interrupted first. */
export async function ensurePrediction(
  deps: Deps,
  attempt: Attempt,
  recovered: RecoveredState,
): Promise<StartedPrediction | null> {
  const { prediction_id: id, adopted } = recovered;
  if (id !== null) return { id, last_read: null, adopted };
  // An execution that was interrupted before the workflow answered does not know the clip's predictions: it would take an earlier
  // attempt's prediction for a lost one.
  if (attempt.execution.interruption !== null) return null;
  const creates = new AttemptCreates(deps, attempt);
  const search: Search = { attempt, recovered, creates };
  let earlier = await creates.earlier(recovered);
  const mayBeLost = earlier.open.length > 0 || (recovered.unclear && !earlier.isComplete);
  if (earlier.attach === null && mayBeLost) {
    const lost = await findEarlier(deps, search, earlier);
    if (lost !== null || attempt.execution.interruption !== null) return lost;
    // An answer may have been written meanwhile.
    earlier = await creates.earlier(recovered);
  }
  if (earlier.attach !== null) return { id: earlier.attach, last_read: null, adopted: true };
  if (!recovered.granted) throw await overBudget(attempt, recovered);
  return create(deps, search, earlier.next);
}

/** Searches for creates that were never answered, or never written down. */
async function findEarlier(
  deps: Deps,
  search: Search,
  earlier: EarlierCreates,
): Promise<StartedPrediction | null> {
  const { execution, input } = search.attempt;
  const lost = await find(deps, search, searchFrom(earlier, input.since));
  if (lost === null && execution.interruption !== null) return null;
  for (const { number } of earlier.open) await search.creates.answer(number, lost?.id ?? null);
  return lost;
}

async function create(
  deps: Deps,
  search: Search,
  first: number,
): Promise<StartedPrediction | null> {
  const { attempt, recovered, creates } = search;
  const { execution } = attempt;
  // `temporal activity reset` counts executions from one again. Without this heartbeat, an execution that dies in its create
  // would then look like one that never began. A first execution sends none: EXECUTION-1.
  if (!execution.isFirst) execution.beat({ phase: 'creating' });
  let hasWaited = (await waitOutBackoff(execution, recovered)) || recovered.unclear;
  let isRateLimitTold = false;
  for (let number = first, unclear = 0; execution.interruption === null; hasWaited = true) {
    // An execution that has waited may have been taken for dead, and another may have continued meanwhile.
    const now = hasWaited ? await askAboutAttempt(attempt) : null;
    if (now?.isOver) throw anotherContinued();
    if (now?.prediction_id) {
      return { id: now.prediction_id, last_read: null, adopted: now.adopted };
    }
    if (now?.granted === false) throw await overBudget(attempt, recovered);
    // ENSURE-1
    if (!(await creates.begin(number))) throw anotherContinued();
    // The last check before money is spent: the disk, too, may have taken too long.
    if (execution.interruption !== null) {
      await creates.withdraw(number);
      break;
    }
    const outcome = await send(deps, attempt);
    switch (outcome.type) {
      case 'created': {
        const { prediction } = outcome;
        compareInput(execution.context.log, attempt.input, prediction, deps);
        // Where the claim cannot be written now, no other execution can have written one either.
        if (await deps.claims.claim(prediction.id, attempt.owner).catch(() => true)) {
          await creates.answer(number, prediction.id);
          return { id: prediction.id, last_read: prediction, adopted: false };
        }
        // Another clip with the same input, whose create was not answered, has adopted this prediction before the answer came:
        // so the other clip's own prediction is this clip's.
        const lost = await findAnswer(deps, search, number);
        if (lost !== null || execution.interruption !== null) return lost;
        number += 1;
        break;
      }
      case 'rejected': {
        const { kind, is_model_gone } = outcome;
        await creates.withdraw(number);
        const message = is_model_gone
          ? modelUnavailable(attempt.input.model, deps.plan.catalogue, outcome.message)
          : outcome.message;
        const verdict = { kind, retry: FAILURES[kind].retry };
        throw await attempt.announceFailure(verdict, message, null);
      }
      case 'throttled': {
        // Back-pressure is no failure: it is waited out inside the attempt.
        const { seconds, message } = outcome;
        await creates.withdraw(number);
        const until = serverClock.in(seconds * 1000);
        execution.beat({ phase: 'waiting', until, message });
        if (!isRateLimitTold) await attempt.tellRateLimited(seconds, message);
        isRateLimitTold = true;
        await execution.wait(seconds * 1000);
        break;
      }
      case 'unclear': {
        const lost = await findAnswer(deps, search, number);
        if (lost !== null || execution.interruption !== null) return lost;
        number += 1;
        if (++unclear >= MAX_UNCLEAR) {
          const verdict = { kind: 'provider_error', retry: true } as const;
          throw await attempt.announceFailure(verdict, outcome.message, null);
        }
      }
    }
  }
  return null;
}

/** Never aborted: an answer that is thrown away may be a prediction that is paid for. */
const send = (
  { replicate, webhook_url }: Deps,
  { input, deadline }: Attempt,
): Promise<CreateOutcome> =>
  replicate.create({
    model: input.model,
    version: input.version,
    input: input.input,
    cancel_after: (deadline - serverClock.now()) / 1000 + CANCEL_SLACK,
    webhook: webhook_url,
  });

const anotherContinued = (): ApplicationFailure =>
  ApplicationFailure.retryable('another execution continues the attempt', INTERRUPTED);

const overBudget = (
  attempt: Attempt,
  { last_error }: RecoveredState,
): Promise<ApplicationFailure> =>
  attempt.announceFailure({ kind: 'over_budget', retry: false }, noLongerFits(last_error), null);

/**
 * A server that was restarted, or a crash in the middle of a failure, starts an execution before its backoff is over.
 * True when it had to wait.
 */
async function waitOutBackoff(
  execution: Execution,
  { next_attempt_at, last_error }: RecoveredState,
): Promise<boolean> {
  const early = next_attempt_at === null ? 0 : Date.parse(next_attempt_at) - serverClock.now();
  if (early <= 0) return false;
  execution.beat({
    phase: 'waiting',
    until: next_attempt_at,
    message: last_error?.message ?? null,
  });
  await execution.wait(Math.min(early, WAITS.backoff));
  return true;
}

/** The prediction of a create without an answer; null when there is none, or when the execution was interrupted. */
async function findAnswer(
  deps: Deps,
  search: Search,
  number: number,
): Promise<StartedPrediction | null> {
  const { execution, input } = search.attempt;
  const lost = await find(deps, search, input.since);
  if (lost !== null || execution.interruption === null) {
    await search.creates.answer(number, lost?.id ?? null);
  }
  return lost;
}

async function find(
  deps: Deps,
  { attempt, recovered }: Search,
  since: string,
): Promise<StartedPrediction | null> {
  const lost = await findLost(deps, attempt.execution, {
    ...attempt.input,
    since,
    owner: attempt.owner,
    exclude: recovered.known_ids,
  });
  return lost === null ? null : { id: lost.id, last_read: lost, adopted: true };
}
