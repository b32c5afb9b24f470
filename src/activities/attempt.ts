/**
 * One attempt as the workflow and Temporal hear of it: its number, its ledger line, its signals, and the failure that ends
 * it. The workflow is signaled of that end first, because it reserves the money of the next attempt.
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
import type { RecoveredState } from './recovered-state.js';
import { serverClock } from './server-clock.js';
import { firstAnswer, WAITS } from './waits.js';

export class Attempt implements Disposable {
  readonly input: GenerateClipInput;
  readonly execution: Execution;
  readonly workflow: OwnWorkflow;
  /** When the provider could first have been asked for the clip, by the server's clock. */
  readonly askedAt: string;
  /** Why the provider will not say how the prediction stands, as long as it refuses to. */
  refusal: Refusal | null = null;

  readonly #replicate: Replicate;
  readonly #askedSignal: NodeJS.Timeout | null;
  #knowsAskedAt: boolean;

  constructor(
    input: GenerateClipInput,
    execution: Execution,
    recovered: Pick<RecoveredState, 'failed_attempts' | 'asked_at' | 'is_asked_at_told'>,
    { workflow, replicate }: { workflow: OwnWorkflow; replicate: Replicate },
  ) {
    this.input = input;
    this.execution = execution;
    this.workflow = workflow;
    this.#replicate = replicate;
    this.askedAt = recovered.asked_at ?? serverClock.in(0);
    Object.assign(execution.state, {
      failed_attempts: recovered.failed_attempts,
      attempt: recovered.failed_attempts + 1,
      asked_at: this.askedAt,
    });
    this.#knowsAskedAt = recovered.is_asked_at_told;
    const mustTell = this.#takesAskedAt && !this.#knowsAskedAt;
    this.#askedSignal = mustTell
      ? setTimeout(() => void this.#tellAsked(), WAITS.asked_signal)
      : null;
  }

  /** The workflow is of a release that takes `asked_at`, and the signals that came with it. */
  get #takesAskedAt(): boolean {
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

  /** Who owns the predictions of this clip, in the claims. */
  get owner(): string {
    return `${this.execution.workflowId}/${String(this.input.clip_index)}`;
  }

  get #inEverySignal(): { clip_index: number; asked_at: string; model: string } {
    const { clip_index, model } = this.input;
    return { clip_index, asked_at: this.askedAt, model };
  }

  ledgerLine(prediction: ProviderPrediction, adopted: boolean): Prediction {
    const line = { attempt: this.number, adopted };
    return toLedger(prediction, this.input, line, this.#replicate);
  }

  async tellCreated(prediction: ProviderPrediction, adopted: boolean): Promise<void> {
    const payload = { ...this.#inEverySignal, prediction: this.ledgerLine(prediction, adopted) };
    await this.#tell(() => this.workflow.signal(predictionCreatedSignal, payload));
  }

  async tellRateLimited(seconds: number, message: string): Promise<void> {
    const payload = { ...this.#inEverySignal, seconds, message };
    await this.#tell(() => this.workflow.signal(rateLimitedSignal, payload));
  }

  /** The prediction keeps rendering, but the job cannot start another one. */
  async tellRefused(refusal: Refusal): Promise<void> {
    if (!this.#takesAskedAt) return;
    const payload = { ...this.#inEverySignal, ...refusal };
    await this.#tell(() => this.workflow.signal(providerRefusesSignal, payload));
  }

  async #tellAsked(): Promise<void> {
    if (this.#knowsAskedAt) return;
    await this.#tell(() => this.workflow.signal(clipAskedSignal, this.#inEverySignal));
  }

  /** The failure to throw for an attempt that is over. Where another attempt follows, the workflow hears of it first. */
  async announceFailure(
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
        this.workflow.signal(attemptFailedSignal, { ...this.#inEverySignal, ...details }),
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
      // Where the signal is lost, the workflow hears of the end by this failure, and tries again itself.
      nonRetryable: !isTold,
      details: [details],
      // Always: the policy counts executions, of which an attempt may have several.
      nextRetryDelay: `${String(delay)}s`,
    });
  }

  /** Signals repeat what heartbeat and result carry: worth a few tries, never worth the clip. */
  async #tell(send: () => Promise<void>): Promise<boolean> {
    const { wait, context } = this.execution;
    const isSent = await firstAnswer(WAITS.signal, { wait }, async () => {
      try {
        await send();
        return true;
      } catch (error) {
        context.log.warn('a signal to the workflow did not arrive', { error });
        return null;
      }
    });
    if (isSent === null) return false;
    this.#knowsAskedAt = true;
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#askedSignal !== null) clearTimeout(this.#askedSignal);
  }
}
