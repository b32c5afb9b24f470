/**
 * The heartbeats of one execution that stores a clip, and what they carry to the next execution: how often in a row the
 * provider has given the same answer instead of the file.
 *
 * STORING-BEAT-1 The same answer `SAME_ANSWERS` times in a row is final. With the pauses between them that takes more than a
 *    quarter of an hour. An answer that says that it is temporary is retried for as long as the provider keeps the file.
 */
import type { Context } from '@temporalio/activity';
import type { DownloadHeartbeat } from '../contract/activities.js';
import { WAITS } from './waits.js';

/** While an execution waits for a download slot, one heartbeat in this many is sent: hundreds may wait. */
const ONE_IN = 4;
export const SAME_ANSWERS = 12;

export class StoringBeat implements Disposable {
  readonly #context: Context;
  readonly #timer: NodeJS.Timeout;
  #state: DownloadHeartbeat;

  constructor(context: Context) {
    this.#context = context;
    const before = context.info.heartbeatDetails as Partial<DownloadHeartbeat> | undefined;
    this.#state = { waits_for: null, answer: before?.answer ?? null };
    let beats = 0;
    this.#timer = setInterval(() => {
      beats += 1;
      if (this.#state.waits_for === null || beats % ONE_IN === 0) context.heartbeat(this.#state);
    }, WAITS.heartbeat);
  }

  /** Says what is waited for until `work` is done. */
  async waiting<T>(sentence: string, work: () => Promise<T>): Promise<T> {
    this.#tell({ ...this.#state, waits_for: sentence });
    try {
      return await work();
    } finally {
      this.#tell({ ...this.#state, waits_for: null });
    }
  }

  /** How often in a row this answer has come, this time included. */
  answered(answer: string): number {
    const before = this.#state.answer;
    const times = before?.message === answer ? before.times + 1 : 1;
    this.#tell({ ...this.#state, answer: { message: answer, times } });
    return times;
  }

  /** There was no answer, or the provider is in trouble: the next answer is the first again. */
  unanswered(): void {
    if (this.#state.answer !== null) this.#tell({ ...this.#state, answer: null });
  }

  #tell(state: DownloadHeartbeat): void {
    this.#state = state;
    this.#context.heartbeat(state);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
