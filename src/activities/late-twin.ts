/**
 * A create that came through after all, although nobody found it in time: the list showed it only after the watch, when
 * another had been created. One look, when the attempt concludes: the better of the two is the clip's, and the other is
 * ended. Both stand in the ledger.
 *
 * T1 It is looked for only where there is a doubt (doubt.ts), and only once.
 * T2 A look that fails holds up nothing: what was rendered is worth more, and the provider's own deadline ends the twin.
 */
import { ListReading } from '../adapters/list-reading.js';
import { toListed } from '../adapters/prediction-index.js';
import { isTerminal } from '../adapters/replicate.js';
import type { ProviderPrediction } from '../adapters/replicate.js';
import type { Doubt } from '../domain/activity.js';
import type { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel.js';
import type { Deps } from './deps.js';
import type { Started } from './ensure-prediction.js';
import { worth } from './find-lost.js';
import { follow } from './follow.js';
import { ERASED, likenessTo } from './likeness.js';
import type { Memory } from './memory.js';
import { readOnceMore } from './read-once-more.js';

/** What this execution has, and how it stands. */
export interface Standing {
  started: Started;
  last: ProviderPrediction | null;
}

/** Tries of a page before the look is given up, and milliseconds between them. */
const TRIES = 5;
const AGAIN = 1_000;

/** The better of what this execution has and what turns up; the rest is over, and booked. */
export async function settleTwins(
  deps: Deps,
  attempt: Attempt,
  memory: Memory,
  standing: Standing,
): Promise<Standing> {
  const { execution } = attempt;
  const { doubt: open } = execution.state;
  const isCanceled = execution.interruption === 'cancel';
  if (!open) return standing;
  if (!isCanceled && (standing.last === null || !isTerminal(standing.last.status))) return standing;
  const twins = await turnedUp(
    deps,
    attempt,
    open,
    new Set([...memory.known, standing.started.id]),
  );
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
  const { execution, input } = attempt;
  execution.beat({ prediction_id: started.id, status: last?.status ?? null, percent: null });
  const end = await follow(deps, execution, started, input.usual_time);
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

/** What turned up within the doubt, and is now this clip's. */
async function turnedUp(
  deps: Deps,
  attempt: Attempt,
  { after, before }: Doubt,
  known: ReadonlySet<string>,
): Promise<ProviderPrediction[]> {
  const { execution, input, owner } = attempt;
  const likeness = likenessTo(input, deps);
  const span = { after: Date.parse(after), before: Date.parse(before) };
  const reading = new ListReading(deps.replicate, span);
  const twins = new Map<string, ProviderPrediction>();
  try {
    for (let tries = 0; !reading.isOver;) {
      const step = await reading.step();
      if (step.type === 'unreadable') {
        if (++tries >= TRIES) throw new Error(step.message);
        await execution.wait(Math.max(AGAIN, (step.retry_after ?? 0) * 1000));
        continue;
      }
      for (const prediction of step.predictions) {
        const distance = likeness(toListed(prediction));
        if (distance === null || distance >= ERASED || known.has(prediction.id)) continue;
        if (await deps.claims.claim(prediction.id, owner)) twins.set(prediction.id, prediction);
      }
    }
    execution.state.doubt = null;
  } catch (error) {
    // T2
    execution.context.log.warn('it could not be seen whether a create came through late', {
      error,
    });
  }
  return [...twins.values()];
}
