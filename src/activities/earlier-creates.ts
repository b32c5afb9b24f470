/** What was written down of a clip's creates, as it concerns one who is about to create, or to end, a prediction. */
import { createHash } from 'node:crypto';
import type { GenerateClipInput } from '../contract/activities.js';
import { canonicalJson } from '../domain/values/canonical-json.js';
import { unsettled } from '../domain/job/create-intent.js';
import type { CreateIntent, Unsettled } from '../domain/job/create-intent.js';
import type { ClipCreates } from '../adapters/storage/create-log.js';
import type { Attempt } from './attempt.js';
import type { Deps } from './deps.js';
import type { Execution } from './execution.js';
import type { Memory } from './recovered-state.js';
import { serverClock } from './server-clock.js';

type Sent = Pick<GenerateClipInput, 'clip_index' | 'model' | 'input' | 'since' | 'chain'>;

export interface Begun extends Unsettled {
  /** Whatever the clip has begun since `since` is here: of anything else, nothing was created. */
  isAll: boolean;
  /** The number of the next create. */
  next: number;
}

export async function begunOf(
  { creates }: Pick<Deps, 'creates'>,
  { workflowId, runId }: Execution,
  sent: Sent,
  { known, unclear }: { known: ReadonlySet<string>; unclear: boolean },
): Promise<Begun> {
  const clip = creates.of(workflowId, sent.clip_index);
  const { begun, last } = await clip.begun(known);
  const since = await clip.since();
  return {
    ...unsettled(begun, {
      model: sent.model,
      run_id: runId,
      chain: sent.chain,
      input_sha256: hashOf(sent),
      unclear,
      known,
      since: sent.since,
    }),
    isAll: since !== null && Date.parse(since) <= Date.parse(sent.since),
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

/** From when on one that was begun has to be looked for: a twin of the clip may have taken it, and left an older one. */
export const lookFrom = ({ open }: Begun, since: string): string =>
  [since, ...open.map(({ at }) => at)].reduce((first, time) =>
    Date.parse(time) < Date.parse(first) ? time : first,
  );

/** The same for one attempt, which writes as well. What cannot be read or written ends it before anything is paid. */
export class Notes {
  readonly #deps: Pick<Deps, 'creates'>;
  readonly #attempt: Attempt;
  readonly #clip: ClipCreates;

  constructor(deps: Pick<Deps, 'creates'>, attempt: Attempt) {
    this.#deps = deps;
    this.#attempt = attempt;
    this.#clip = deps.creates.of(attempt.execution.workflowId, attempt.input.clip_index);
  }

  recall({ known, unclear }: Memory): Promise<Begun> {
    const { execution, input } = this.#attempt;
    return this.#expected(() => begunOf(this.#deps, execution, input, { known, unclear }));
  }

  /** False where another execution has begun this one. */
  begin(number: number): Promise<boolean> {
    const { execution, input } = this.#attempt;
    return this.#expected(() => this.#clip.begin(number, intentOf(execution, input)));
  }

  answer(number: number, id: string | null): Promise<void> {
    return this.#tried(() => this.#clip.answer(number, id));
  }

  withdraw(number: number): Promise<void> {
    return this.#tried(() => this.#clip.withdraw(number));
  }

  async #expected<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = `expected a DATA_DIR that can be written, got ${(error as Error).message}; nothing was created`;
      throw await this.#attempt.over({ kind: 'storage_error', retry: true }, message, null);
    }
  }

  /** Without it the create counts as unanswered, and is looked for once more. */
  async #tried(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      this.#attempt.execution.context.log.warn('the answer to a create could not be noted', {
        error,
      });
    });
  }
}
