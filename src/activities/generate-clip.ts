/**
 * The paid activity: one attempt at one clip. It makes sure that a prediction exists, waits for its end, and says how it
 * ended. It downloads nothing.
 *
 * G1 Through any crash, lost response or time-out, an attempt creates another prediction only when the search for the one before
 * has found none.
 * G3 Executions are not attempts: an execution that has lost its state asks the workflow and the provider's list first.
 * G4 A prediction is canceled at the provider only when the clip is; shutdown, pause and time-out leave it running.
 * GENERATE-1 On the queue without a rate limit nothing is created: an execution that would have to create hands the clip back.
 */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import type {
  CanceledExecution,
  GenerateClipInput,
  GenerateClipResult,
  Heartbeat,
} from '../contract/activities.js';
import { INTERRUPTED, judgeText } from '../domain/job/failures.js';
import type { Verdict } from '../domain/job/failures.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import { Attempt } from './attempt.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import { ensurePrediction } from './ensure-prediction.js';
import type { StartedPrediction } from './ensure-prediction.js';
import { Execution } from './execution.js';
import { follow } from './follow-prediction.js';
import { settleLateDuplicates } from './late-duplicate.js';
import { unread } from './ledger-line.js';
import { heartbeatOf, recoverState } from './recovered-state.js';
import type { RecoveredState } from './recovered-state.js';
import { expectStoreOfJob } from './store-guard.js';
import { learnServerTime } from './server-clock.js';

/** `may_create`: on the queue whose rate is the rate of creates. */
export const createGenerateClip =
  (deps: Deps, { may_create } = { may_create: true }) =>
  async (input: GenerateClipInput): Promise<GenerateClipResult> => {
    expectStoreOfJob(deps, input, INTERRUPTED);
    // Until more is known, the last heartbeat of the execution before is repeated.
    using execution = new Execution(heartbeatOf(Context.current().info) ?? firstBeat(input));
    execution.handBackInTime();
    const workflow = deps.workflow(execution.workflowId, execution.runId);
    await learnServerTime(deps, execution.context);
    const recovered = await recoverState(execution, workflow, input);
    using attempt = new Attempt(input, execution, recovered, {
      workflow,
      replicate: deps.replicate,
    });

    // GENERATE-1
    const mustCreateElsewhere = recovered.prediction_id === null && !may_create;
    if (mustCreateElsewhere && execution.interruption === null) {
      return handBack(attempt, recovered, null);
    }
    const started = mustCreateElsewhere ? null : await ensurePrediction(deps, attempt, recovered);
    // Awaited everywhere: the heartbeats have to continue until the very end.
    if (started === null) return await stop(deps, attempt, recovered, { started, last: null });
    await announce(deps, attempt, recovered, started);
    // Only now: what is loaded for the video takes no time from the create.
    using _video = deps.media.expect();
    const end = await follow(deps, attempt, started);
    const { started: own, last } = await settleLateDuplicates(deps, attempt, recovered, {
      started,
      last: end,
    });
    return last !== null && isTerminal(last.status)
      ? await conclude(deps, attempt, last, own.adopted)
      : await stop(deps, attempt, recovered, { started: own, last });
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

/** Writes the id into heartbeat, claim and history, quickest first, so that losing any one of them loses nothing. */
async function announce(
  { claims, replicate }: Deps,
  attempt: Attempt,
  recovered: RecoveredState,
  { id, last_read, adopted }: StartedPrediction,
): Promise<void> {
  attempt.execution.beat({
    phase: 'rendering',
    prediction_id: id,
    status: last_read?.status ?? null,
    until: null,
    message: null,
  });
  // A disk that is full now must not end the render; the next execution claims it again.
  await claims.claim(id, attempt.owner).catch((error: unknown) => {
    attempt.execution.context.log.warn('a claim could not be written', { error });
  });
  if (!recovered.known_ids.has(id)) {
    await attempt.tellCreated(last_read ?? unread(id, attempt.input.model, replicate), adopted);
  }
}

async function conclude(
  deps: Deps,
  attempt: Attempt,
  last: ProviderPrediction,
  adopted: boolean,
): Promise<GenerateClipResult> {
  const end = judgeEnd(last, deps.replicate.clock.now());
  const prediction = attempt.ledgerLine(last, adopted);
  const succeeded = { outcome: 'succeeded', attempt: attempt.number, prediction } as const;
  if (end.type === 'rendered') return { ...succeeded, output_url: end.output_url };
  // G2: what was stored before the provider deleted it is not lost, though the workflow may have forgotten it.
  if (end.kind === 'output_lost' && (await isStored(deps, attempt, last.id))) {
    return { ...succeeded, output_url: '' };
  }
  throw await attempt.announceFailure(end, end.message, prediction);
}

async function isStored({ store }: Deps, attempt: Attempt, id: string): Promise<boolean> {
  const stored = await store.stored(attempt.execution.workflowId, attempt.input.clip_index);
  return stored?.prediction_id === id;
}

type End =
  { type: 'rendered'; output_url: string } | ({ type: 'failed'; message: string } & Verdict);

/** What an ended prediction means for the clip. `now`: the provider's time, for an end that does not say when it came. */
function judgeEnd(last: ProviderPrediction, now: number): End {
  const failed = (verdict: Verdict, message: string): End => ({
    type: 'failed',
    ...verdict,
    message: `${message} (${last.web_url})`,
  });
  switch (last.status) {
    case 'succeeded':
      if (last.output_url !== null) return { type: 'rendered', output_url: last.output_url };
      if (last.data_removed) {
        return failed({ kind: 'output_lost', retry: false }, 'the provider has deleted the output');
      }
      // A model that answers in a shape of its own answers the next prediction in the same shape.
      return last.output.type === 'odd'
        ? failed({ kind: 'no_output', retry: false }, oddOutput(last.output.says))
        : failed({ kind: 'no_output', retry: true }, 'succeeded without an output');
    case 'failed': {
      const message = last.error?.trim() ?? '';
      const echoes = Object.values(last.input).filter((value) => typeof value === 'string');
      return failed(
        judgeText(message, echoes),
        message === '' ? 'failed without a reason' : message,
      );
    }
    case 'aborted':
      return failed({ kind: 'provider_error', retry: true }, 'aborted before it ran');
    case 'canceled':
      return isPastDeadline(last, now)
        ? failed({ kind: 'timed_out', retry: false }, 'ended by its deadline at the provider')
        : failed({ kind: 'canceled', retry: false }, 'canceled at the provider, not by this job');
    case 'starting':
    case 'processing':
      throw new Error(`expected an ended prediction, got ${last.status}`);
  }
}

const oddOutput = (says: string): string =>
  `succeeded, and no video was found in its output: expected an http(s) or data: URL of a video, got ${says}`;

/** All times are the provider's. */
const isPastDeadline = ({ deadline, completed_at }: ProviderPrediction, now: number): boolean =>
  deadline !== null &&
  Date.parse(deadline) <= (completed_at === null ? now : Date.parse(completed_at) + 1_000);

/** For the next execution, on this queue or on the other one. */
function handBack(
  { execution, askedAt: asked_at }: Attempt,
  { unclear }: RecoveredState,
  started: StartedPrediction | null,
): GenerateClipResult {
  const id = started?.id ?? null;
  const isUnclear = id === null && (unclear || execution.state.phase === 'reconciling');
  return { outcome: 'handover', prediction_id: id, unclear: isUnclear, asked_at };
}

/** Ends an interrupted execution: on cancellation the prediction is ended too, otherwise it is left running. */
async function stop(
  deps: Deps,
  attempt: Attempt,
  recovered: RecoveredState,
  { started, last }: { started: StartedPrediction | null; last: ProviderPrediction | null },
): Promise<GenerateClipResult> {
  const { execution } = attempt;
  switch (execution.interruption) {
    case 'handover':
      return handBack(attempt, recovered, started);
    case 'cancel': {
      throw new CancelledFailure('the clip was canceled', [
        await canceled(deps, attempt, started, last),
      ]);
    }
    case 'gone':
    case null:
      throw ApplicationFailure.retryable(
        'the execution was cut off; the next one continues',
        INTERRUPTED,
      );
  }
}

/** Where the end cannot be read, the workflow asks again until it can. */
async function canceled(
  { replicate }: Deps,
  attempt: Attempt,
  started: StartedPrediction | null,
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
