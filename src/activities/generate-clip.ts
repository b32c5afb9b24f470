/**
 * The paid activity: one attempt at one clip. It makes sure that a prediction exists (attach, find again or
 * create), waits for its end, and says how it ended. It downloads nothing.
 *
 * G1 An attempt creates at most one prediction, through any crash, lost response or time-out.
 * G3 Executions are not attempts: an execution that lost its memory asks the workflow and the provider's list first.
 * G4 A prediction is canceled at the provider only when the clip is; shutdown, pause and time-out leave it running.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import {
  backoffSeconds,
  FAILURES,
  INTERRUPTED,
  MAX_ATTEMPTS,
  problem,
} from '../domain/failures.js';
import type { FailureKind, Problem, Verdict } from '../domain/failures.js';
import type {
  AttemptOver,
  CanceledExecution,
  GenerateClipInput,
  GenerateClipResult,
  Heartbeat,
} from '../domain/activity.js';
import {
  attemptFailedSignal,
  predictionCreatedSignal,
  rateLimitedSignal,
} from '../workflows/contract.js';
import type { ProviderPrediction } from '../adapters/replicate.js';
import { isTerminal } from '../adapters/replicate.js';
import { cancelAndConfirm } from './cancel.js';
import type { Deps } from './deps.js';
import { Execution } from './execution.js';
import { findLost } from './find-lost.js';
import { follow } from './follow.js';
import { toLedger } from './ledger.js';
import { recall } from './memory.js';
import type { Memory } from './memory.js';
import { judge } from './verdict.js';

export const createGenerateClip =
  (deps: Deps) =>
  async (input: GenerateClipInput): Promise<GenerateClipResult> => {
    using execution = new Execution(firstBeat(input));
    return new Attempt(deps, input, execution).run();
  };

const firstBeat = (input: GenerateClipInput): Heartbeat => ({
  attempt: input.failed_attempts + 1,
  failed_attempts: input.failed_attempts,
  phase: 'creating',
  prediction_id: null,
  status: null,
  percent: null,
  until: null,
  message: null,
});

/** Creates that may be unclear within one attempt before it is given up. */
const MAX_UNCLEAR = 2;

class Attempt {
  readonly #deps: Deps;
  readonly #input: GenerateClipInput;
  readonly #execution: Execution;
  readonly #workflow: ReturnType<Deps['workflow']>;

  /** An earlier execution may have created a prediction that was not found yet. */
  #unclear = false;

  constructor(deps: Deps, input: GenerateClipInput, execution: Execution) {
    this.#deps = deps;
    this.#input = input;
    this.#execution = execution;
    const run = execution.info.workflowExecution;
    if (run === undefined) throw new Error('generateClip runs inside a workflow only');
    this.#workflow = deps.workflow(run.workflowId, run.runId);
  }

  get #owner(): string {
    const jobId = this.#execution.info.workflowExecution?.workflowId ?? '';
    return `${jobId}/${String(this.#input.clip_index)}`;
  }

  async run(): Promise<GenerateClipResult> {
    const execution = this.#execution;
    const memory = await recall(execution, this.#workflow, this.#input);
    this.#unclear = memory.unclear;
    execution.state.failed_attempts = memory.failed_attempts;
    execution.state.attempt = memory.failed_attempts + 1;

    const started = await this.#ensurePrediction(memory);
    if (started === null) return this.#stop(null);
    const { id, known, adopted } = started;
    execution.beat({
      phase: 'rendering',
      prediction_id: id,
      status: known?.status ?? null,
      until: null,
      message: null,
    });
    await this.#announce(id, known, adopted, memory);

    const last = await follow(this.#deps.replicate, execution, id, this.#input.usual_time, known);
    return last !== null && isTerminal(last.status)
      ? this.#conclude(last, adopted)
      : this.#stop(id, last, adopted);
  }

  /** The prediction of this attempt, by the cheapest way that cannot pay twice; null when interrupted first. */
  async #ensurePrediction(memory: Memory): Promise<Started | null> {
    if (memory.open !== null) return { id: memory.open, known: null, adopted: memory.adopted };
    if (memory.unclear) {
      const lost = await this.#find(memory);
      if (lost !== null || this.#execution.interruption !== null) return lost;
    }
    if (!memory.granted) {
      throw this.#failure(
        { kind: 'over_budget', retry: false },
        overBudget(memory.last_error),
        null,
      );
    }
    return this.#create(memory);
  }

  async #create(memory: Memory): Promise<Started | null> {
    const { replicate, webhook_url } = this.#deps;
    const { model, version, input, deadline } = this.#input;
    for (let unclear = 0, warned = false; ;) {
      if (this.#execution.interruption !== null) return null;
      // Never aborted: an answer thrown away may be a prediction paid for.
      const outcome = await replicate.create({
        model,
        version,
        input,
        cancel_after: (Date.parse(deadline) - Date.now()) / 1000 + CANCEL_SLACK,
        webhook: webhook_url,
      });
      switch (outcome.type) {
        case 'created':
          return { id: outcome.prediction.id, known: outcome.prediction, adopted: false };
        case 'rejected':
          throw await this.#over(
            { kind: outcome.kind, retry: FAILURES[outcome.kind].retry },
            outcome.message,
            null,
          );
        case 'throttled':
          await this.#waitForRate(outcome.seconds, outcome.message, warned);
          warned = true;
          break;
        case 'unclear': {
          const lost = await this.#find(memory);
          if (lost !== null || this.#execution.interruption !== null) return lost;
          if (++unclear >= MAX_UNCLEAR) {
            throw await this.#over({ kind: 'provider_error', retry: true }, outcome.message, null);
          }
        }
      }
    }
  }

  async #find(memory: Memory): Promise<Started | null> {
    const lost = await findLost(this.#deps, this.#execution, {
      ...this.#input,
      owner: this.#owner,
      exclude: memory.known,
    });
    return lost === null ? null : { id: lost.id, known: lost, adopted: true };
  }

  async #waitForRate(seconds: number, message: string, warned: boolean): Promise<void> {
    const until = new Date(Date.now() + seconds * 1000).toISOString();
    this.#execution.beat({ phase: 'waiting', until, message });
    if (!warned) {
      await this.#tell(() =>
        this.#workflow.signal(rateLimitedSignal, {
          clip_index: this.#input.clip_index,
          seconds,
          message,
        }),
      );
    }
    await this.#execution.wait(seconds * 1000);
  }

  /** The id in heartbeat (already sent), claim and history, so that losing any one of them loses nothing. */
  async #announce(
    id: string,
    known: ProviderPrediction | null,
    adopted: boolean,
    memory: Memory,
  ): Promise<void> {
    await this.#deps.claims.claim(id, this.#owner);
    if (memory.known.has(id)) return;
    const prediction = this.#ledger(known ?? unread(id, this.#input.model), adopted);
    await this.#tell(() =>
      this.#workflow.signal(predictionCreatedSignal, {
        clip_index: this.#input.clip_index,
        prediction,
      }),
    );
  }

  async #conclude(last: ProviderPrediction, adopted: boolean): Promise<GenerateClipResult> {
    const verdict = judge(last);
    const prediction = this.#ledger(last, adopted);
    if (verdict === null && last.output_url !== null) {
      const { attempt } = this.#execution.state;
      return { outcome: 'succeeded', attempt, prediction, output_url: last.output_url };
    }
    const { message, ...rest } = verdict ?? {
      kind: 'no_output',
      retry: true,
      message: 'no output',
    };
    throw await this.#over(rest, message, prediction);
  }

  /** Ends an interrupted execution: on cancellation the prediction goes too, otherwise it is left running. */
  async #stop(
    id: string | null,
    last: ProviderPrediction | null = null,
    adopted = false,
  ): Promise<GenerateClipResult> {
    const execution = this.#execution;
    const unclear = id === null && (this.#unclear || execution.state.phase === 'reconciling');
    switch (execution.interruption) {
      case 'handover':
        return { outcome: 'handover', prediction_id: id, unclear };
      case 'cancel': {
        const final = id === null ? null : await cancelAndConfirm(this.#deps.replicate, id, last);
        const details: CanceledExecution = {
          prediction: final === null ? null : this.#ledger(final, adopted),
          output_url: final?.status === 'succeeded' ? final.output_url : null,
        };
        throw new CancelledFailure('the clip was canceled', [details]);
      }
      case 'gone':
      case null:
        throw ApplicationFailure.retryable(
          'the execution was cut off; the next goes on',
          INTERRUPTED,
        );
    }
  }

  #ledger(prediction: ProviderPrediction, adopted: boolean): ReturnType<typeof toLedger> {
    return toLedger(prediction, this.#input, this.#execution.state.attempt, adopted);
  }

  /** This attempt is over: written to heartbeat and workflow before Temporal is told to try again. */
  async #over(
    verdict: Verdict,
    message: string,
    prediction: AttemptOver['prediction'],
  ): Promise<ApplicationFailure> {
    const { attempt } = this.#execution.state;
    const failure = this.#failure(verdict, message, prediction);
    if (failure.nonRetryable === true) return failure;
    this.#execution.beat({ failed_attempts: attempt, prediction_id: null, phase: 'waiting' });
    await this.#tell(() =>
      this.#workflow.signal(attemptFailedSignal, {
        clip_index: this.#input.clip_index,
        attempt,
        prediction,
        error: { kind: verdict.kind, message, retryable: true },
        delay: this.#delay(verdict),
      }),
    );
    return failure;
  }

  #delay(verdict: Verdict): number {
    return Math.max(backoffSeconds(this.#execution.info.attempt), verdict.delay ?? 0);
  }

  #failure(
    verdict: Verdict,
    message: string,
    prediction: AttemptOver['prediction'],
  ): ApplicationFailure {
    const { attempt } = this.#execution.state;
    const again = verdict.retry && attempt < Math.min(verdict.limit ?? MAX_ATTEMPTS, MAX_ATTEMPTS);
    const error: Problem = { ...problem(verdict.kind, message), retryable: again };
    const details: AttemptOver = { attempt, prediction, error };
    const backoff = backoffSeconds(this.#execution.info.attempt);
    return ApplicationFailure.create({
      type: verdict.kind satisfies FailureKind,
      message,
      nonRetryable: !again,
      details: [details],
      // Only when the provider wants more patience than the policy has.
      ...(this.#delay(verdict) > backoff
        ? { nextRetryDelay: `${String(this.#delay(verdict))}s` }
        : {}),
    });
  }

  /** A signal is a second copy of what heartbeat and result carry: worth a few tries, never worth the clip. */
  async #tell(send: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < 3; tries++) {
      try {
        await send();
        return;
      } catch (error) {
        this.#execution.context.log.warn('a signal to the workflow did not arrive', { error });
        await this.#execution.wait(500);
      }
    }
  }
}

interface Started {
  id: string;
  known: ProviderPrediction | null;
  adopted: boolean;
}

/** Seconds by which the provider's own deadline outlives ours, so that ours comes first. */
const CANCEL_SLACK = 30;

const overBudget = (last: Problem | null): string =>
  `the next attempt no longer fits max_cost_usd${last === null ? '' : `; last error: ${last.message}`}`;

const unread = (id: string, model: string): ProviderPrediction => ({
  id,
  model,
  version: null,
  status: 'starting',
  input: {},
  output_url: null,
  error: null,
  logs: '',
  data_removed: false,
  created_at: new Date().toISOString(),
  started_at: null,
  completed_at: null,
  deadline: null,
  predict_time: null,
  web_url: `https://replicate.com/p/${id}`,
});
