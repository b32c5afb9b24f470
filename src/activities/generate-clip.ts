/**
 * The paid activity: one attempt at one clip. It makes sure that a prediction exists, waits for its end, and
 * says how it ended. It downloads nothing.
 *
 * G1 An attempt creates at most one prediction, through any crash, lost response or time-out.
 * G3 Executions are not attempts: one that lost its memory asks the workflow and the provider's list first.
 * G4 A prediction is canceled at the provider only when the clip is; shutdown, pause and time-out leave it running.
 * Q1 Where creates are not limited nothing is created: an execution that would have to is handed back.
 */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type {
  CanceledExecution,
  GenerateClipInput,
  GenerateClipResult,
  Heartbeat,
} from '../contract/activities.js';
import { INTERRUPTED } from '../domain/job/failures.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import { ensurePrediction } from './ensure-prediction.js';
import type { Started } from './ensure-prediction.js';
import { Execution } from './execution.js';
import { follow } from './follow-prediction.js';
import { settleTwins } from './late-duplicate.js';
import { unread } from './ledger-line.js';
import { heartbeatOf, recall } from './recovered-state.js';
import type { Memory } from './recovered-state.js';
import { expectOwnStore } from './store-guard.js';
import { readOnceMore } from './reread-success.js';
import { learnServerTime } from './server-clock.js';
import { judge } from './classify-end.js';

/** `may_create`: on the queue whose rate is the rate of creates. */
export const createGenerateClip =
  (deps: Deps, { may_create } = { may_create: true }) =>
  async (input: GenerateClipInput): Promise<GenerateClipResult> => {
    expectOwnStore(deps, input, INTERRUPTED);
    // Until more is known, what the one before said is said on.
    using execution = new Execution(heartbeatOf(Context.current().info) ?? firstBeat(input));
    execution.handBackInTime();
    const workflow = deps.workflow(execution.workflowId, execution.runId);
    await learnServerTime(deps, execution.context);
    const memory = await recall(execution, workflow, input);
    using attempt = new Attempt(input, execution, memory, { workflow, replicate: deps.replicate });

    // Q1
    const isElsewhere = memory.open === null && !may_create;
    if (isElsewhere && execution.interruption === null) return handBack(attempt, memory, null);
    const started = isElsewhere ? null : await ensurePrediction(deps, attempt, memory);
    // Awaited everywhere: the heart has to beat until the very end.
    if (started === null) return await stop(deps, attempt, memory, { started, last: null });
    await announce(deps, attempt, memory, started);
    // Only now: what is loaded for the video takes no time from the create.
    using _video = deps.media.expect();
    const seen = await follow(deps, attempt, started);
    const end = seen === null ? null : await lookAgain(deps, execution, seen);
    const { started: own, last } = await settleTwins(deps, attempt, memory, { started, last: end });
    return last !== null && isTerminal(last.status)
      ? await conclude(deps, attempt, last, own.adopted)
      : await stop(deps, attempt, memory, { started: own, last });
  };

const firstBeat = ({ failed_attempts, resume }: GenerateClipInput): Heartbeat => ({
  attempt: failed_attempts + 1,
  failed_attempts,
  phase: resume === null ? 'creating' : 'rendering',
  prediction_id: resume,
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
  deps: Deps,
  attempt: Attempt,
  last: ProviderPrediction,
  adopted: boolean,
): Promise<GenerateClipResult> {
  const verdict = judge(last, deps.replicate.clock.now());
  const prediction = attempt.ledgerLine(last, adopted);
  const succeeded = { outcome: 'succeeded', attempt: attempt.number, prediction } as const;
  if (verdict.type === 'rendered') return { ...succeeded, output_url: verdict.output_url };
  // G2: what was stored before the provider deleted it is not lost, though the workflow may have forgotten that.
  if (verdict.kind === 'output_lost' && (await isStored(deps, attempt, last.id))) {
    return { ...succeeded, output_url: '' };
  }
  throw await attempt.over(verdict, verdict.message, prediction);
}

async function isStored({ store }: Deps, attempt: Attempt, id: string): Promise<boolean> {
  const stored = await store.stored(attempt.execution.workflowId, attempt.input.clip_index);
  return stored?.prediction_id === id;
}

/** To whoever goes on: the next execution, here or on the other queue. */
function handBack(
  { execution, askedAt: asked_at }: Attempt,
  { unclear }: Memory,
  started: Started | null,
): GenerateClipResult {
  const id = started?.id ?? null;
  const isUnclear = id === null && (unclear || execution.state.phase === 'reconciling');
  return { outcome: 'handover', prediction_id: id, unclear: isUnclear, asked_at };
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
    case 'handover':
      return handBack(attempt, memory, started);
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
  const refused = isTerminal(final.status) ? null : attempt.refusal;
  return {
    prediction: attempt.ledgerLine(final, adopted),
    output_url: final.status === 'succeeded' ? final.output_url : null,
    ...(refused === null ? {} : { refused }),
  };
}
