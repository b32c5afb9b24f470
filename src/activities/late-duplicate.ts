/**
 * A create that came through after all, although the search did not find it in time: the list showed it only after the
 * watch, when another one had been created. One look, when the attempt concludes: the better of the two predictions is the
 * clip's, and the other one is ended. Both stand in the ledger.
 *
 * DUPLICATE-1 It is looked for only where a search has believed that nothing came of a create; what was written down of
 *    creates says so, to any execution that concludes the attempt.
 * DUPLICATE-2 A look that fails delays nothing: the render is worth more, and the provider's own deadline ends the duplicate.
 */
import { toListed } from '../adapters/replicate/prediction-index.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { GenerateClipInput } from '../contract/activities.js';
import type { EarlierCreate } from '../domain/job/create-intent.js';
import { RETENTION } from '../domain/job/prediction-status.js';
import type { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import type { StartedPrediction } from './ensure-prediction.js';
import type { Execution } from './execution.js';
import { clockMargin, providerTimeOf, rankOf } from './find-lost.js';
import { follow } from './follow-prediction.js';
import { ERASED, inputMatcher } from './input-match.js';
import type { RecoveredState } from './recovered-state.js';
import { serverClock } from './server-clock.js';
import { pauseAfter, WAITS } from './waits.js';

/** A prediction of this clip, and how it stands. */
interface ClipPrediction {
  started: StartedPrediction;
  last: ProviderPrediction | null;
}

/** Milliseconds by which the look reaches further than the clocks, as measured, ask for. */
const MARGIN = 5_000;

/** The better of what this execution has and of late duplicates; the others are ended, and in the ledger. */
export async function settleLateDuplicates(
  deps: Deps,
  attempt: Attempt,
  recovered: RecoveredState,
  own: ClipPrediction,
): Promise<ClipPrediction> {
  const { execution } = attempt;
  const isCanceled = execution.interruption === 'cancel';
  if (!isCanceled && (own.last === null || !isTerminal(own.last.status))) return own;
  let best = own;
  for (const duplicate of await findLateDuplicates(deps, attempt, recovered, own.started.id)) {
    await attempt.tellCreated(duplicate, true);
    const other: ClipPrediction = {
      started: { id: duplicate.id, last_read: duplicate, adopted: true },
      last: duplicate,
    };
    const isBetter = !isCanceled && isWorthMore(duplicate, best.last);
    await end(deps, attempt, isBetter ? best : other);
    if (isBetter) best = other;
  }
  if (best === own) return own;
  const { started, last } = best;
  execution.beat({ prediction_id: started.id, status: last?.status ?? null, percent: null });
  return { started, last: await follow(deps, attempt, started) };
}

/** A success without a video is worth as little as a failure. */
const worthOf = (prediction: ProviderPrediction): number =>
  prediction.status === 'succeeded' && prediction.output_url === null
    ? rankOf({ ...prediction, status: 'failed' })
    : rankOf(prediction);
const isWorthMore = (duplicate: ProviderPrediction, last: ProviderPrediction | null): boolean =>
  last === null || worthOf(duplicate) < worthOf(last);

/** Ends a prediction and tells the ledger; where the end cannot be confirmed, the workflow asks again. */
async function end(
  { replicate }: Deps,
  attempt: Attempt,
  { started, last }: ClipPrediction,
): Promise<void> {
  const final = await cancelAndConfirm(replicate, started.id, last);
  if (final !== null) await attempt.tellCreated(final, started.adopted);
}

/** What turned up late, now claimed for this clip. */
async function findLateDuplicates(
  deps: Deps,
  attempt: Attempt,
  { known_ids }: RecoveredState,
  own: string,
): Promise<ProviderPrediction[]> {
  const { execution, input, owner } = attempt;
  const distanceTo = inputMatcher(input, deps);
  const others = new Set([...known_ids].filter((id) => id !== own));
  const found = new Map<string, ProviderPrediction>();
  try {
    for (const create of await doubtfulCreates(deps, execution, input, others)) {
      for (const prediction of await listedAround(deps, attempt, create)) {
        const { id } = prediction;
        const distance = distanceTo(toListed(prediction));
        const isOther = distance === null || distance >= ERASED;
        if (isOther || id === own || known_ids.has(id)) continue;
        if (await deps.claims.claim(id, owner)) found.set(id, prediction);
      }
    }
  } catch (error) {
    // DUPLICATE-2
    execution.context.log.warn('it could not be seen whether a create came through late', {
      error,
    });
  }
  return [...found.values()];
}

/**
 * DUPLICATE-1; creates of this job alone, after the last one that led to another known prediction, and no older than the
 * provider remembers.
 */
async function doubtfulCreates(
  { creates }: Deps,
  { workflowId, runId }: Execution,
  { clip_index, chain }: GenerateClipInput,
  others: ReadonlySet<string>,
): Promise<EarlierCreate[]> {
  const log = creates.of(workflowId, clip_index);
  const { creates: earlier } = await log.earlier(others);
  const oldest = serverClock.now() - RETENTION * 1000;
  return earlier.filter(
    (create) =>
      create.prediction_id === null &&
      Date.parse(create.at) > oldest &&
      (create.run_id === runId || (chain !== undefined && create.chain === chain)),
  );
}

/** What the list has of the time in which the create can have come through. */
async function listedAround(
  { index, replicate }: Deps,
  { execution }: Attempt,
  { at }: EarlierCreate,
): Promise<ProviderPrediction[]> {
  const sent = providerTimeOf(replicate, at);
  const margin = clockMargin(replicate, MARGIN);
  const review = index.review({ after: sent - margin, before: sent + WAITS.search.watch + margin });
  const found: ProviderPrediction[] = [];
  const { tries, pause } = WAITS.late_duplicate;
  for (let failures = 0; !review.isOver;) {
    const step = await review.step();
    if (step.type === 'read') found.push(...step.predictions);
    else if (++failures >= tries) throw new Error(step.message);
    else await execution.wait(pauseAfter(step, pause));
  }
  return found;
}
