/**
 * One attempt as the workflow and Temporal hear of it: its number, its ledger line, and the failure that ends it.
 * The workflow knows that it is over before anybody tries again, for its answer reserves the next one's money.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { backoffSeconds, MAX_ATTEMPTS, problem } from '../domain/failures.js';
import type { Verdict } from '../domain/failures.js';
import type { AttemptOver, GenerateClipInput } from '../domain/activity.js';
import type { Prediction } from '../domain/job.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate.js';
import type { OwnWorkflow } from '../adapters/temporal.js';
import {
  attemptFailedSignal,
  predictionCreatedSignal,
  rateLimitedSignal,
} from '../workflows/contract.js';
import type { Execution } from './execution.js';
import { toLedger } from './ledger.js';
import { serverClock } from './server-clock.js';

const SIGNAL_TRIES = 3;

export class Attempt {
  readonly input: GenerateClipInput;
  readonly execution: Execution;
  readonly workflow: OwnWorkflow;

  readonly #replicate: Replicate;

  constructor(
    input: GenerateClipInput,
    execution: Execution,
    { workflow, replicate }: { workflow: OwnWorkflow; replicate: Replicate },
  ) {
    this.input = input;
    this.execution = execution;
    this.workflow = workflow;
    this.#replicate = replicate;
  }

  get number(): number {
    return this.execution.state.attempt;
  }

  /** Who a prediction of this clip belongs to, in the claims. */
  get owner(): string {
    return `${this.execution.workflowId}/${String(this.input.clip_index)}`;
  }

  ledgerLine(prediction: ProviderPrediction, adopted: boolean): Prediction {
    const line = { attempt: this.number, adopted };
    return toLedger(prediction, this.input, line, this.#replicate);
  }

  async tellCreated(prediction: ProviderPrediction, adopted: boolean): Promise<void> {
    const payload = {
      clip_index: this.input.clip_index,
      prediction: this.ledgerLine(prediction, adopted),
    };
    await this.#tell(() => this.workflow.signal(predictionCreatedSignal, payload));
  }

  async tellRateLimited(seconds: number, message: string): Promise<void> {
    const payload = { clip_index: this.input.clip_index, seconds, message };
    await this.#tell(() => this.workflow.signal(rateLimitedSignal, payload));
  }

  /** The failure to throw for an attempt that is over; a further attempt, if any, is announced first. */
  async over(
    verdict: Verdict,
    message: string,
    prediction: Prediction | null,
  ): Promise<ApplicationFailure> {
    const again =
      verdict.retry && this.number < Math.min(verdict.limit ?? MAX_ATTEMPTS, MAX_ATTEMPTS);
    const error = { ...problem(verdict.kind, message), retryable: again };
    const backoff = backoffSeconds(this.execution.info.attempt);
    const delay = Math.max(backoff, verdict.delay ?? 0);
    const details: AttemptOver = { attempt: this.number, prediction, error, delay };
    let isTold = false;
    if (again) {
      const { clip_index } = this.input;
      isTold = await this.#tell(() =>
        this.workflow.signal(attemptFailedSignal, { clip_index, ...details }),
      );
    }
    if (isTold) {
      this.execution.beat({
        failed_attempts: this.number,
        prediction_id: null,
        phase: 'waiting',
        until: serverClock.in(delay * 1000),
        message,
      });
    }
    return ApplicationFailure.create({
      type: verdict.kind,
      message,
      // Where the signal is lost, the workflow hears of it by this failure, and tries again itself.
      nonRetryable: !isTold,
      details: [details],
      // Only when the provider wants more patience than the policy has.
      ...(delay > backoff ? { nextRetryDelay: `${String(delay)}s` } : {}),
    });
  }

  /** A second copy of what heartbeat and result carry: worth a few tries, never worth the clip. */
  async #tell(send: () => Promise<void>): Promise<boolean> {
    for (let tries = 0; tries < SIGNAL_TRIES; tries++) {
      try {
        await send();
        return true;
      } catch (error) {
        this.execution.context.log.warn('a signal to the workflow did not arrive', { error });
        await this.execution.wait(500);
      }
    }
    return false;
  }
}
