/**
 * The paid activity: one attempt at one clip. It makes sure that a prediction exists, waits for its end, and
 * says how it ended. It downloads nothing.
 *
 * G1 An attempt creates at most one prediction, through any crash, lost response or time-out.
 * G3 Executions are not attempts: one that lost its memory asks the workflow and the provider's list first.
 * G4 A prediction is canceled at the provider only when the clip is; shutdown, pause and time-out leave it running.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type {
  CanceledExecution,
  GenerateClipInput,
  GenerateClipResult,
  Heartbeat,
} from '../domain/activity.js';
import { INTERRUPTED } from '../domain/failures.js';
import type { ProviderPrediction } from '../adapters/replicate.js';
import { isTerminal } from '../adapters/replicate.js';
import { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel.js';
import type { Deps } from './deps.js';
import { recallDoubt } from './doubt.js';
import { ensurePrediction } from './ensure-prediction.js';
import type { Started } from './ensure-prediction.js';
import { Execution } from './execution.js';
import { follow } from './follow.js';
import { settleTwins } from './late-twin.js';
import { unread } from './ledger.js';
import { recall } from './memory.js';
import type { Memory } from './memory.js';
import { readOnceMore } from './read-once-more.js';
import { learnServerTime } from './server-clock.js';
import { judge } from './verdict.js';

export const createGenerateClip =
  (deps: Deps) =>
  async (input: GenerateClipInput): Promise<GenerateClipResult> => {
    using execution = new Execution(firstBeat(input));
    recallDoubt(execution);
    const workflow = deps.workflow(execution.workflowId, execution.runId);
    await learnServerTime(deps, execution.context);
    const memory = await recall(execution, workflow, input);
    execution.state.failed_attempts = memory.failed_attempts;
    execution.state.attempt = memory.failed_attempts + 1;
    const attempt = new Attempt(input, execution, { workflow, replicate: deps.replicate });

    const started = await ensurePrediction(deps, attempt, memory);
    // Awaited everywhere: the heart has to beat until the very end.
    if (started === null) return await stop(deps, attempt, memory, { started, last: null });
    await announce(deps, attempt, memory, started);
    const seen = await follow(deps, execution, started, input.usual_time);
    const end = seen === null ? null : await lookAgain(deps, execution, seen);
    const { started: own, last } = await settleTwins(deps, attempt, memory, { started, last: end });
    return last !== null && isTerminal(last.status)
      ? await conclude(deps, attempt, last, own.adopted)
      : await stop(deps, attempt, memory, { started: own, last });
  };

const firstBeat = ({ failed_attempts }: GenerateClipInput): Heartbeat => ({
  attempt: failed_attempts + 1,
  failed_attempts,
  phase: 'creating',
  prediction_id: null,
  status: null,
  percent: null,
  until: null,
  message: null,
});

/** The id in heartbeat, claim and history, quickest first, so that losing any one of them loses nothing. */
async function announce(
  { claims, replicate }: Deps,
  attempt: Attempt,
  memory: Memory,
  { id, known, adopted }: Started,
): Promise<void> {
  attempt.execution.beat({
    phase: 'rendering',
    prediction_id: id,
    status: known?.status ?? null,
    until: null,
    message: null,
  });
  // A disk that is full just now must not end the render; whoever goes on claims it again.
  await claims.claim(id, attempt.owner).catch((error: unknown) => {
    attempt.execution.context.log.warn('a claim could not be written', { error });
  });
  if (!memory.known.has(id)) {
    await attempt.tellCreated(known ?? unread(id, attempt.input.model, replicate), adopted);
  }
}

const lookAgain = (
  { replicate }: Deps,
  execution: Execution,
  last: ProviderPrediction,
): Promise<ProviderPrediction> =>
  readOnceMore(replicate, last, (milliseconds) => execution.wait(milliseconds));

async function conclude(
  { replicate }: Deps,
  attempt: Attempt,
  last: ProviderPrediction,
  adopted: boolean,
): Promise<GenerateClipResult> {
  const verdict = judge(last, replicate.clock.now());
  const prediction = attempt.ledgerLine(last, adopted);
  if (verdict.type === 'over') throw await attempt.over(verdict, verdict.message, prediction);
  return {
    outcome: 'succeeded',
    attempt: attempt.number,
    prediction,
    output_url: verdict.output_url,
  };
}

/** Ends an interrupted execution: on cancellation the prediction goes too, otherwise it is left running. */
async function stop(
  deps: Deps,
  attempt: Attempt,
  memory: Memory,
  { started, last }: { started: Started | null; last: ProviderPrediction | null },
): Promise<GenerateClipResult> {
  const { execution } = attempt;
  switch (execution.interruption) {
    case 'handover': {
      const unclear =
        started === null && (memory.unclear || execution.state.phase === 'reconciling');
      return { outcome: 'handover', prediction_id: started?.id ?? null, unclear };
    }
    case 'cancel': {
      throw new CancelledFailure('the clip was canceled', [
        await canceled(deps, attempt, started, last),
      ]);
    }
    case 'gone':
    case null:
      throw ApplicationFailure.retryable(
        'the execution was cut off; the next goes on',
        INTERRUPTED,
      );
  }
}

/** Also of one that cannot be read: the workflow goes on trying. */
async function canceled(
  { replicate }: Deps,
  attempt: Attempt,
  started: Started | null,
  last: ProviderPrediction | null,
): Promise<CanceledExecution> {
  if (started === null) return { prediction: null, output_url: null };
  const { id, adopted } = started;
  const final =
    (await cancelAndConfirm(replicate, id, last)) ?? unread(id, attempt.input.model, replicate);
  return {
    prediction: attempt.ledgerLine(final, adopted),
    output_url: final.status === 'succeeded' ? final.output_url : null,
  };
}
