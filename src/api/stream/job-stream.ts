/**
 * Sends one job's log to one reader: a snapshot when it has no position, then the frames of the shared log as fast as it reads, to
 * the end; older events in pages. The only state is a cursor, so that a slow reader costs no memory.
 *
 * JOB-STREAM-1 frames are sent in the order of `seq`, each once; the cursor moves only by writing.
 * JOB-STREAM-2 a reader that reads nothing for too long, or falls too far behind meanwhile, is dropped; it resumes by id.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TemporalAway } from '../jobs/jobs-port.js';
import type { Lease, Listener } from './progress-hub.js';
import type { EventStream } from './sse-writer.js';

export interface StreamLimits {
  /** By how much the log may grow while a reader reads nothing. */
  frames: number;
  bytes: number;
  stall_ms: number;
}

export const STREAM_LIMITS: StreamLimits = { frames: 2_000, bytes: 1 << 20, stall_ms: 30_000 };

const BATCH_BYTES = 64 * 1024;
/** Until older events are read again after a failure. */
const READ_AGAIN_MS = 1_000;

interface Opening {
  stream: EventStream;
  lease: Lease;
  /** Null: a snapshot comes first. */
  position: number | null;
  /** False: the stream ends after the events that exist now. */
  follow: boolean;
  /** A snapshot to open with while the watcher has none. */
  fallback: { seq: number; frame: Buffer } | null;
  /** Is the log known to be complete, so that a position beyond it is wrong? */
  verified: boolean;
  onDropped: () => void;
}

export class JobStream implements Listener {
  readonly #limits: StreamLimits;
  #open: Opening | null = null;
  #cursor: number | null = null;
  #verified = false;
  /** The current progress of clips has not been sent yet. */
  #isStarting = true;
  #blocked: { head: number; bytes: number; timer: NodeJS.Timeout } | null = null;
  /** Older events are being read, or will be read again. */
  #isReadingPast = false;

  constructor(limits: StreamLimits) {
    this.#limits = limits;
  }

  start(opening: Opening): void {
    this.#open = opening;
    this.#cursor = opening.position;
    this.#verified = opening.verified;
    opening.stream.onClosed(() => {
      this.#unblock();
    });
    this.#pump();
    for (const frame of opening.lease.liveFrames()) this.onVolatile(frame);
    this.#isStarting = false;
    this.#pump();
  }

  onChange(): void {
    if (this.#open === null) return;
    const { watcher } = this.#open.lease;
    this.#verified ||= watcher.phase !== 'starting' && !watcher.stale;
    if (this.#isReadingPast) return;
    if (this.#blocked === null) this.#pump();
    else if (this.#isTooFarBehind()) this.#drop();
  }

  onVolatile(frame: Buffer): void {
    if (this.#open?.stream.isWritable) this.#open.stream.write([frame]);
  }

  #pump(): void {
    if (this.#open === null || this.#isReadingPast) return;
    const { stream } = this.#open;
    while (!stream.closed.aborted) {
      if (!stream.isWritable) {
        this.#block();
        return;
      }
      const frames = this.#next();
      if (frames === 'past') {
        void this.#readPast();
        return;
      }
      if (frames === 'wait' && (this.#open.follow || this.#isStarting)) return;
      if (frames === 'wait' || frames === 'end') {
        stream.end();
        this.#open = null;
        return;
      }
      stream.write(frames);
    }
  }

  /** The next frames to write, having moved the cursor past them. */
  #next(): Buffer[] | 'wait' | 'end' | 'past' {
    if (this.#open === null) return 'end';
    const { watcher } = this.#open.lease;
    if (this.#cursor !== null && this.#isBeyond(this.#cursor)) this.#cursor = null;
    if (this.#cursor === null) return this.#snapshot();
    if (this.#cursor < watcher.log.base) return 'past';
    const batch = watcher.log.after(this.#cursor, BATCH_BYTES);
    if (batch !== null) {
      this.#cursor = batch.last; // JOB-STREAM-1
      return batch.frames;
    }
    const isOver = watcher.phase === 'over' || watcher.phase === 'missing';
    return isOver ? 'end' : 'wait';
  }

  /** Only the position that the reader came with: one moved by past events may be ahead of the log for a moment. */
  #isBeyond(cursor: number): boolean {
    if (this.#open === null || cursor !== this.#open.position) return false;
    return this.#verified && cursor > this.#open.lease.watcher.log.head;
  }

  async #readPast(): Promise<void> {
    if (this.#open === null || this.#cursor === null) return;
    const { stream, lease, follow } = this.#open;
    this.#isReadingPast = true;
    try {
      const { watcher } = lease;
      const batch = await watcher.past(this.#cursor, BATCH_BYTES);
      if (batch === null && watcher.stale)
        throw new TemporalAway('the events after this position cannot be read');
      this.#cursor = batch?.last ?? null; // JOB-STREAM-1; where the events are lost, a snapshot follows
      stream.write(batch?.frames ?? []);
    } catch {
      // A regular end here would look like the end of the events.
      if (!follow) stream.drop();
      else await sleep(READ_AGAIN_MS, undefined, { signal: stream.closed }).catch(() => undefined);
    }
    this.#isReadingPast = false;
    this.#pump();
  }

  #snapshot(): Buffer[] | 'wait' | 'end' {
    if (this.#open === null) return 'end';
    const { lease, fallback } = this.#open;
    const { job, phase } = lease.watcher;
    const frame = lease.snapshotFrame();
    if (job !== null && frame !== null) {
      this.#cursor = job.seq;
      return [frame];
    }
    if (fallback === null) return phase === 'missing' ? 'end' : 'wait';
    this.#cursor = fallback.seq;
    return [fallback.frame];
  }

  #block(): void {
    const { stream, lease } = this.#open ?? {};
    if (stream === undefined || lease === undefined || this.#blocked !== null) return;
    const timer = setTimeout(() => {
      this.#drop();
    }, this.#limits.stall_ms);
    this.#blocked = { head: lease.watcher.log.head, bytes: lease.watcher.log.bytes, timer };
    stream.onceWritable(() => {
      this.#unblock();
      this.#pump();
    });
  }

  #unblock(): void {
    if (this.#blocked !== null) clearTimeout(this.#blocked.timer);
    this.#blocked = null;
  }

  #isTooFarBehind(): boolean {
    if (this.#open === null || this.#blocked === null) return false;
    const { head, bytes } = this.#open.lease.watcher.log;
    const { frames: maxFrames, bytes: maxBytes } = this.#limits;
    return head - this.#blocked.head > maxFrames || bytes - this.#blocked.bytes > maxBytes;
  }

  #drop(): void {
    this.#open?.onDropped();
    this.#open?.stream.drop(); // JOB-STREAM-2
    this.#open = null;
    this.#unblock();
  }
}
