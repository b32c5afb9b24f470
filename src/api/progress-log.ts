/**
 * The event log of one job as the frames that streams send, encoded once however many read them.
 *
 * L1 the frame of seq n follows that of n − 1; nothing is skipped and nothing stands in it twice.
 */
import type { JobEvent } from '../domain/job.js';
import { frameOf } from './sse.js';

export interface Stretch {
  frames: Buffer[];
  /** The seq of its last frame. */
  last: number;
}

export class ProgressLog {
  readonly #frames: Buffer[] = [];
  /** Events up to this seq cannot be had any more. */
  #base = 0;
  #bytes = 0;

  get base(): number {
    return this.#base;
  }

  /** The seq of the newest event. */
  get head(): number {
    return this.#base + this.#frames.length;
  }

  /** Of all frames ever appended. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when the event is new; one that is known already is ignored. */
  append(event: JobEvent): boolean {
    if (event.seq <= this.head) return false;
    if (event.seq !== this.head + 1) {
      throw new Error(`expected event ${String(this.head + 1)}, got ${String(event.seq)}`); // L1
    }
    const frame = frameOf(event.type, event, event.seq);
    this.#frames.push(frame);
    this.#bytes += frame.length;
    return true;
  }

  /** Gives up on everything before: only when no source has those events. */
  skipTo(seq: number): void {
    if (seq <= this.head) return;
    this.#frames.length = 0;
    this.#base = seq;
  }

  /** What follows a position, at most about so many bytes; null when nothing does. */
  after(seq: number, mostBytes: number): Stretch | null {
    const start = seq - this.#base;
    if (start < 0 || start >= this.#frames.length) return null;
    let end = start;
    for (let bytes = 0; end < this.#frames.length && bytes < mostBytes; end += 1) {
      bytes += this.#frames[end]?.length ?? 0;
    }
    return { frames: this.#frames.slice(start, end), last: this.#base + end };
  }
}
