/**
 * The newest part of one job's event log as the frames that streams send, encoded once however many read them. What it has
 * let go is read again by whoever asks for it (PastEvents).
 *
 * L1 the frame of seq n follows that of n − 1; nothing is skipped and nothing stands in it twice.
 * L2 it holds so many frames and bytes at most; of frames larger than that, one.
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

/** Readers that keep up are a moment behind: what many clips say in a few seconds. */
export const LOG_LIMITS: LogLimits = { frames: 256, bytes: 128 * 1024 };

export class EventLog {
  readonly #limits: LogLimits;
  readonly #frames: Buffer[] = [];
  /** Events up to this seq are not held here. */
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

  /** True when the event is new; one that is known already is ignored. */
  append(event: JobEvent): boolean {
    if (event.seq <= this.head) return false;
    if (event.seq !== this.head + 1) {
      throw new Error(`expected event ${String(this.head + 1)}, got ${String(event.seq)}`); // L1
    }
    const frame = frameOf(event.type, event, event.seq);
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#held += frame.length;
    this.#trim();
    return true;
  }

  /** Lets go of everything before: what follows is known from there on. */
  skipTo(seq: number): void {
    if (seq <= this.head) return;
    this.#frames.length = 0;
    this.#held = 0;
    this.#base = seq;
  }

  /** What follows a position, at most about so many bytes; null when nothing does, or it is no longer held. */
  after(seq: number, maxBytes: number): FrameBatch | null {
    const start = seq - this.#base;
    if (start < 0 || start >= this.#frames.length) return null;
    let end = start;
    for (let bytes = 0; end < this.#frames.length && bytes < maxBytes; end += 1) {
      bytes += this.#frames[end]?.length ?? 0;
    }
    return { frames: this.#frames.slice(start, end), last: this.#base + end };
  }

  /** L2 */
  #trim(): void {
    const { frames, bytes } = this.#limits;
    while (this.#frames.length > 1 && (this.#frames.length > frames || this.#held > bytes)) {
      this.#held -= this.#frames.shift()?.length ?? 0;
      this.#base += 1;
    }
  }
}
