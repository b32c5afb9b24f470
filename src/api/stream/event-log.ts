/**
 * The newest part of one job's event log, as frames that are encoded once for all readers. Older events are read again for the
 * reader that needs them (PastEvents).
 *
 * EVENT-LOG-1 the frame of seq n follows that of n − 1; none is skipped, none is there twice.
 * EVENT-LOG-2 frames and bytes are bounded; a single frame may be larger than the bound.
 */
import type { JobEvent } from '../../domain/job/job.schema.js';
import { frameOf } from './sse-writer.js';

export interface FrameBatch {
  frames: Buffer[];
  /** The seq of its last frame. */
  last: number;
}

export interface LogLimits {
  frames: number;
  bytes: number;
}

/** Readers that keep up are seconds behind: the events of many clips in that time. */
export const LOG_LIMITS: LogLimits = { frames: 256, bytes: 128 * 1024 };

export class EventLog {
  readonly #limits: LogLimits;
  readonly #frames: Buffer[] = [];
  /** Events up to this seq are no longer held. */
  #base = 0;
  #held = 0;
  #bytes = 0;

  constructor(limits: LogLimits = LOG_LIMITS) {
    this.#limits = limits;
  }

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

  /** Of the frames held. */
  get held(): number {
    return this.#held;
  }

  /** False for an event that is known already, which is ignored. */
  append(event: JobEvent): boolean {
    if (event.seq <= this.head) return false;
    if (event.seq !== this.head + 1) {
      throw new Error(`expected event ${String(this.head + 1)}, got ${String(event.seq)}`); // EVENT-LOG-1
    }
    const frame = frameOf(event.type, event, event.seq);
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#held += frame.length;
    this.#trim();
    return true;
  }

  /** Drops all frames: the log continues after this seq. */
  skipTo(seq: number): void {
    if (seq <= this.head) return;
    this.#frames.length = 0;
    this.#held = 0;
    this.#base = seq;
  }

  /** The frames after a position, about `maxBytes` of them; null when there are none, or they are no longer held. */
  after(seq: number, maxBytes: number): FrameBatch | null {
    const start = seq - this.#base;
    if (start < 0 || start >= this.#frames.length) return null;
    let end = start;
    for (let bytes = 0; end < this.#frames.length && bytes < maxBytes; end += 1) {
      bytes += this.#frames[end]?.length ?? 0;
    }
    return { frames: this.#frames.slice(start, end), last: this.#base + end };
  }

  /** EVENT-LOG-2 */
  #trim(): void {
    const { frames, bytes } = this.#limits;
    while (this.#frames.length > 1 && (this.#frames.length > frames || this.#held > bytes)) {
      this.#held -= this.#frames.shift()?.length ?? 0;
      this.#base += 1;
    }
  }
}
