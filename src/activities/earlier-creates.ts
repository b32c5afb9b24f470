/** What was written down of a clip's creates, for an execution that is about to create a prediction, or to end one. */
import { createHash } from 'node:crypto';
import type { GenerateClipInput } from '../contract/activities.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import { errorMessage } from '../domain/values/error-message.js';
import { unsettled } from '../domain/job/create-intent.js';
import type { CreateIntent, Unsettled } from '../domain/job/create-intent.js';
import type { ClipCreates } from '../adapters/storage/create-log.js';
import { StoreTrouble } from '../adapters/storage/store.js';
import type { Attempt } from './attempt.js';
import type { Deps } from './deps.js';
import type { Execution } from './execution.js';
import type { RecoveredState } from './recovered-state.js';
import { serverClock } from './server-clock.js';
import { WAITS } from './waits.js';

type Sent = Pick<GenerateClipInput, 'clip_index' | 'model' | 'input' | 'since' | 'chain'>;

export interface EarlierCreates extends Unsettled {
  /** Every create of the clip after `since` was written down: any other prediction is not the clip's. */
  isComplete: boolean;
  /** The number of the next create, over all attempts and rounds of the clip. */
  next: number;
}

export async function earlierCreates(
  { creates }: Pick<Deps, 'creates'>,
  { workflowId, runId }: Execution,
  sent: Sent,
  { known, unclear }: { known: ReadonlySet<string>; unclear: boolean },
): Promise<EarlierCreates> {
  const clip = creates.of(workflowId, sent.clip_index);
  const { creates: earlier, last } = await clip.earlier(known);
  const since = await clip.since();
  return {
    ...unsettled(earlier, {
      model: sent.model,
      run_id: runId,
      chain: sent.chain,
      input_sha256: hashOf(sent),
      unclear,
      known,
      since: sent.since,
    }),
    isComplete: since !== null && Date.parse(since) <= Date.parse(sent.since),
    next: last + 1,
  };
}

const intentOf = ({ info, runId, state }: Execution, sent: Sent): CreateIntent => ({
  at: serverClock.in(0),
  run_id: runId,
  activity_id: info.activityId,
  execution: info.attempt,
  attempt: state.attempt,
  model: sent.model,
  input_sha256: hashOf(sent),
  ...(sent.chain === undefined ? {} : { chain: sent.chain }),
});

const hashOf = ({ model, input }: Sent): string =>
  createHash('sha256')
    .update(canonicalJson([model, input]))
    .digest('hex');

/**
 * The earliest time at which a lost prediction may have been created. Two executions of the clip may each have adopted the
 * other's prediction, so the older create is searched for as well.
 */
export const searchFrom = ({ open }: EarlierCreates, since: string): string =>
  [since, ...open.map(({ at }) => at)].reduce((first, time) =>
    Date.parse(time) < Date.parse(first) ? time : first,
  );

/** The creates of one attempt. A log that cannot be read or written ends the attempt before anything is paid. */
export class AttemptCreates {
  readonly #deps: Pick<Deps, 'creates'>;
  readonly #attempt: Attempt;
  readonly #clip: ClipCreates;

  constructor(deps: Pick<Deps, 'creates'>, attempt: Attempt) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#clip = deps.creates.of(attempt.execution.workflowId, attempt.input.clip_index);
  }

  earlier({ known_ids: known, unclear }: RecoveredState): Promise<EarlierCreates> {
    const { execution, input } = this.#attempt;
    return this.#orFail(() => earlierCreates(this.#deps, execution, input, { known, unclear }));
  }

  /** False when another execution has begun the create with this number. */
  begin(number: number): Promise<boolean> {
    const { execution, input } = this.#attempt;
    return this.#orFail(() => this.#clip.begin(number, intentOf(execution, input)));
  }

  answer(number: number, id: string | null): Promise<void> {
    return this.#orWarn(() => this.#clip.answer(number, id));
  }

  withdraw(number: number): Promise<void> {
    return this.#orWarn(() => this.#clip.withdraw(number));
  }

  async #orFail<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const words = errorMessage(error);
      const message =
        error instanceof StoreTrouble
          ? `${words} Nothing was created.`
          : `expected a DATA_DIR that can be written, got ${words}; nothing was created`;
      const delay = error instanceof StoreTrouble ? { delay: WAITS.store_trouble / 1000 } : {};
      const verdict = { kind: 'storage_error', retry: true, ...delay } as const;
      throw await this.#attempt.announceFailure(verdict, message, null);
    }
  }

  /** A create whose answer is not written counts as unanswered, and is searched for once more. */
  async #orWarn(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      this.#attempt.execution.context.log.warn('the answer to a create could not be noted', {
        error,
      });
    });
  }
}
