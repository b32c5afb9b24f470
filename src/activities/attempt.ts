/**
 * One attempt as the workflow and Temporal hear of it: its number, its ledger line, and the failure that ends it.
 * The workflow knows that it is over before anybody tries again, for its answer reserves the next one's money.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { problem } from '../domain/job/failures.js';
import type { Verdict } from '../domain/job/failures.js';
import type { AttemptOver, GenerateClipInput, Refusal } from '../contract/activities.js';
import type { Prediction } from '../domain/job/job.schema.js';
import { backoffSeconds, MAX_ATTEMPTS } from '../domain/job/retry-policy.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';
import type { OwnWorkflow } from '../adapters/temporal/workflow-calls.js';
import {
  attemptFailedSignal,
  clipAskedSignal,
  predictionCreatedSignal,
  providerRefusesSignal,
  rateLimitedSignal,
} from '../contract/workflow.js';
import type { Execution } from './execution.js';
import { toLedger } from './ledger-line.js';
import type { Memory } from './recovered-state.js';
import { serverClock } from './server-clock.js';

const SIGNAL_TRIES = 3;
/** Milliseconds after which the workflow is told that the provider could be asked, unless it has heard so by then. */
const UNHEARD = 3_000;

export class Attempt implements Disposable {
  readonly input: GenerateClipInput;
  readonly execution: Execution;
  readonly workflow: OwnWorkflow;
  /** When the provider could first have been asked for the clip, by the server's clock. */
  readonly askedAt: string;
  /** Why the provider will not say how the prediction stands, as long as it refuses to. */
  refusal: Refusal | null = null;

  readonly #replicate: Replicate;
  readonly #unheard: NodeJS.Timeout | null;
  #isHeard: boolean;

  constructor(
    input: GenerateClipInput,
    execution: Execution,
    memory: Pick<Memory, 'failed_attempts' | 'asked_at' | 'is_asked_told'>,
    { workflow, replicate }: { workflow: OwnWorkflow; replicate: Replicate },
  ) {
    this.input = input;
    this.execution = execution;
    this.workflow = workflow;
    this.#replicate = replicate;
    this.askedAt = memory.asked_at ?? serverClock.in(0);
    Object.assign(execution.state, {
      failed_attempts: memory.failed_attempts,
      attempt: memory.failed_attempts + 1,
      asked_at: this.askedAt,
    });
    this.#isHeard = memory.is_asked_told;
    const isUnheard = this.#isNew && !this.#isHeard;
    this.#unheard = isUnheard ? setTimeout(() => void this.#tellAsked(), UNHEARD) : null;
  }

  /** Its workflow knows of `asked_at` and what came with it. */
  get #isNew(): boolean {
    return this.input.clip_timeout !== undefined;
  }

  get number(): number {
    return this.execution.state.attempt;
  }

  /** When the clip's time is over, in milliseconds of the server's clock. */
  get deadline(): number {
    const { clip_timeout, deadline } = this.input;
    return clip_timeout === undefined
      ? Date.parse(deadline)
      : Date.parse(this.askedAt) + clip_timeout * 1000;
  }

  /** Who a prediction of this clip belongs to, in the claims. */
  get owner(): string {
    return `${this.execution.workflowId}/${String(this.input.clip_index)}`;
  }

  get #told(): { clip_index: number; asked_at: string; model: string } {
    const { clip_index, model } = this.input;
    return { clip_index, asked_at: this.askedAt, model };
  }

  ledgerLine(prediction: ProviderPrediction, adopted: boolean): Prediction {
    const line = { attempt: this.number, adopted };
    return toLedger(prediction, this.input, line, this.#replicate);
  }

  async tellCreated(prediction: ProviderPrediction, adopted: boolean): Promise<void> {
    const payload = { ...this.#told, prediction: this.ledgerLine(prediction, adopted) };
    await this.#tell(() => this.workflow.signal(predictionCreatedSignal, payload));
  }

  async tellRateLimited(seconds: number, message: string): Promise<void> {
    const payload = { ...this.#told, seconds, message };
    await this.#tell(() => this.workflow.signal(rateLimitedSignal, payload));
  }

  /** Of a prediction that goes on: its clip is not over, but no other gets any further. */
  async tellRefused(refusal: Refusal): Promise<void> {
    if (!this.#isNew) return;
    const payload = { ...this.#told, ...refusal };
    await this.#tell(() => this.workflow.signal(providerRefusesSignal, payload));
  }

  async #tellAsked(): Promise<void> {
    if (this.#isHeard) return;
    await this.#tell(() => this.workflow.signal(clipAskedSignal, this.#told));
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
    const delay = Math.max(backoffSeconds(this.number), verdict.delay ?? 0);
    const details: AttemptOver = { attempt: this.number, prediction, error, delay };
    let isTold = false;
    if (again) {
      isTold = await this.#tell(() =>
        this.workflow.signal(attemptFailedSignal, { ...this.#told, ...details }),
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
      // Always: the policy counts executions, of which an attempt may have several.
      nextRetryDelay: `${String(delay)}s`,
    });
  }

  /** A second copy of what heartbeat and result carry: worth a few tries, never worth the clip. */
  async #tell(send: () => Promise<void>): Promise<boolean> {
    for (let tries = 0; tries < SIGNAL_TRIES; tries++) {
      try {
        await send();
        this.#isHeard = true;
        return true;
      } catch (error) {
        this.execution.context.log.warn('a signal to the workflow did not arrive', { error });
        await this.execution.wait(500);
      }
    }
    return false;
  }

  [Symbol.dispose](): void {
    if (this.#unheard !== null) clearTimeout(this.#unheard);
  }
}
