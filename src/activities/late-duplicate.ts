/**
 * A create that came through after all, although nobody found it in time: the list showed it only after the watch, when
 * another had been created. One look, when the attempt concludes: the better of the two is the clip's, and the other is
 * ended. Both stand in the ledger.
 *
 * T1 It is looked for only where a search has believed that nothing came of a create; what was written down of creates
 *    says so, to whoever concludes the attempt.
 * T2 A look that fails holds up nothing: what was rendered is worth more, and the provider's own deadline ends the twin.
 */
import { ListReading } from '../adapters/replicate/list-reading.js';
import { toListed } from '../adapters/replicate/prediction-index.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { GenerateClipInput } from '../contract/activities.js';
import type { EarlierCreate } from '../domain/job/create-intent.js';
import { RETENTION } from '../domain/job/prediction-status.js';
import type { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import type { Started } from './ensure-prediction.js';
import type { Execution } from './execution.js';
import { sinceAt, WATCH, worth } from './find-lost.js';
import { follow } from './follow-prediction.js';
import { ERASED, likenessTo } from './input-match.js';
import type { Memory } from './recovered-state.js';
import { readOnceMore } from './reread-success.js';
import { serverClock } from './server-clock.js';

/** What this execution has, and how it stands. */
export interface Standing {
  started: Started;
  last: ProviderPrediction | null;
}

/** Tries of a page before the look is given up, and milliseconds between them. */
const TRIES = 5;
const AGAIN = 1_000;

/** Milliseconds by which the look reaches further than the clocks, as measured, ask for; and where nothing is measured. */
const MARGIN = 5_000;
const BLIND_MARGIN = 7_200_000;

/** The better of what this execution has and what turns up; the rest is over, and booked. */
export async function settleTwins(
  deps: Deps,
  attempt: Attempt,
  memory: Memory,
  standing: Standing,
): Promise<Standing> {
  const { execution } = attempt;
  const isCanceled = execution.interruption === 'cancel';
  if (!isCanceled && (standing.last === null || !isTerminal(standing.last.status))) return standing;
  const known = new Set([...memory.known, standing.started.id]);
  const twins = await turnedUp(deps, attempt, known, standing.started.id);
  let best = standing;
  for (const twin of twins) {
    await attempt.tellCreated(twin, true);
    const other: Standing = { started: { id: twin.id, known: twin, adopted: true }, last: twin };
    const isBetter = !isCanceled && isWorthMore(twin, best.last);
    await end(deps, attempt, isBetter ? best : other);
    if (isBetter) best = other;
  }
  return best === standing ? standing : goOn(deps, attempt, best);
}

/** An end that has no video is worth as little as a failure. */
const valueOf = (one: ProviderPrediction): number =>
  one.status === 'succeeded' && one.output_url === null
    ? worth({ ...one, status: 'failed' })
    : worth(one);
const isWorthMore = (twin: ProviderPrediction, last: ProviderPrediction | null): boolean =>
  last === null || valueOf(twin) < valueOf(last);

async function goOn(deps: Deps, attempt: Attempt, { started, last }: Standing): Promise<Standing> {
  const { execution } = attempt;
  execution.beat({ prediction_id: started.id, status: last?.status ?? null, percent: null });
  const end = await follow(deps, attempt, started);
  const wait = (milliseconds: number): Promise<void> => execution.wait(milliseconds);
  return { started, last: end === null ? null : await readOnceMore(deps.replicate, end, wait) };
}

/** Over at the provider, and so in the ledger; where that could not be confirmed, the workflow goes on trying. */
async function end(
  { replicate }: Deps,
  attempt: Attempt,
  { started, last }: Standing,
): Promise<void> {
  const final = await cancelAndConfirm(replicate, started.id, last);
  if (final !== null) await attempt.tellCreated(final, started.adopted);
}

/** What turned up late, and is now this clip's. */
async function turnedUp(
  deps: Deps,
  attempt: Attempt,
  known: ReadonlySet<string>,
  own: string,
): Promise<ProviderPrediction[]> {
  const { execution, input, owner } = attempt;
  const likeness = likenessTo(input, deps);
  const others = new Set([...known].filter((id) => id !== own));
  const twins = new Map<string, ProviderPrediction>();
  try {
    for (const create of await doubted(deps, execution, input, others)) {
      for (const prediction of await createdWith(deps, attempt, create)) {
        const distance = likeness(toListed(prediction));
        if (distance === null || distance >= ERASED || known.has(prediction.id)) continue;
        if (await deps.claims.claim(prediction.id, owner)) twins.set(prediction.id, prediction);
      }
    }
  } catch (error) {
    // T2
    execution.context.log.warn('it could not be seen whether a create came through late', {
      error,
    });
  }
  return [...twins.values()];
}

/** T1; of creates of this job alone, since the last one that came to one of the others, and no older than what the provider remembers. */
async function doubted(
  { creates }: Deps,
  { workflowId, runId }: Execution,
  { clip_index, chain }: GenerateClipInput,
  others: ReadonlySet<string>,
): Promise<EarlierCreate[]> {
  const { begun } = await creates.of(workflowId, clip_index).begun(others);
  const oldest = serverClock.now() - RETENTION * 1000;
  return begun.filter(
    (create) =>
      create.prediction_id === null &&
      Date.parse(create.at) > oldest &&
      (create.run_id === runId || (chain !== undefined && create.chain === chain)),
  );
}

/** What the list has of the time in which the create can have come through. */
async function createdWith(
  { replicate }: Deps,
  { execution }: Attempt,
  { at }: EarlierCreate,
): Promise<ProviderPrediction[]> {
  const sent = sinceAt(replicate, at);
  const margin = Math.min(BLIND_MARGIN, replicate.clock.error + MARGIN);
  const span = { after: sent - margin, before: sent + WATCH + margin };
  const reading = new ListReading(replicate, span);
  const found: ProviderPrediction[] = [];
  for (let tries = 0; !reading.isOver;) {
    const step = await reading.step();
    if (step.type === 'read') found.push(...step.predictions);
    else if (++tries >= TRIES) throw new Error(step.message);
    else await execution.wait(Math.max(AGAIN, (step.retry_after ?? 0) * 1000));
  }
  return found;
}
