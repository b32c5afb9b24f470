/**
 * One watcher a job, however many listen: handed out by reference count, kept a moment after the last
 * listener has left, closed then, and everything read for it is let go. While somebody listens and clips are under way it
 * also tells what is not durable: the progress inside an attempt.
 *
 * H1 one look at a job's pending activities at a time, for all who listen; none while no clip is under way.
 */
import type { Job } from '../../domain/job/job.schema.js';
import type { ClipProgress } from '../../domain/job/clip-progress.schema.js';
import { isStarted, isClipOver, isOver } from '../../domain/job/progress.js';
import type { Archive } from '../jobs/job-archive.js';
import { JobWatcher } from './job-watcher.js';
import type { Jobs, Run } from '../jobs/jobs-port.js';
import { PastEvents } from './past-events.js';
import { clipOfActivity } from '../../contract/activity-ids.js';
import { clipProgress, isScheduled } from '../jobs/pending-clips.js';
import type { ReadRecordedJob } from '../jobs/recorded-job.js';
import type { HasRenderWorkers } from '../jobs/worker-presence.js';
import { frameOf } from './sse-writer.js';

export interface Listener {
  /** Something about the watcher has changed. */
  onChange: () => void;
  /** A frame that nobody will miss. */
  onVolatile: (frame: Buffer) => void;
}

export interface Lease {
  watcher: JobWatcher;
  snapshotFrame: () => Buffer | null;
  /** What was last told of the clips under way. */
  liveFrames: () => Buffer[];
  release: () => void;
}

interface Options {
  jobs: Jobs;
  archive: Archive;
  recorded: ReadRecordedJob;
  onJob: (job: Job) => void;
  onLost: (jobId: string, error: unknown) => void;
  usualTime: (model: string) => number | null;
  hasRenderWorkers: HasRenderWorkers;
  /** Milliseconds a watcher is kept without listeners, and between looks at pending activities. */
  grace?: number;
  every?: number;
}

interface Watched {
  watcher: JobWatcher;
  listeners: Set<Listener>;
  snapshot: { job: Job; stale: boolean; frame: Buffer; until: NodeJS.Timeout } | null;
  /** The last volatile frame of each clip under way. */
  told: Map<number, { text: string; frame: Buffer }>;
  looking: NodeJS.Timeout | null;
  closing: NodeJS.Timeout | null;
}

const GRACE = 5_000;
const EVERY = 2_000;
/** Milliseconds that an encoded snapshot is kept: those who arrive together share it, and it is as large as its job. */
const SNAPSHOT = 1_000;

export class ProgressHub {
  readonly #options: Options;
  readonly #watched = new Map<string, Watched>();
  readonly #past: PastEvents;

  constructor(options: Options) {
    this.#options = options;
    this.#past = new PastEvents(options);
  }

  get watchedJobs(): number {
    return this.#watched.size;
  }

  /** Bytes of older events that readers have asked for lately. */
  get pastBytes(): number {
    return this.#past.bytes;
  }

  /** The watched jobs that are not over, as last seen. */
  liveJobs(): Job[] {
    return [...this.#watched.values()].flatMap(({ watcher: { job } }) =>
      job === null || isOver(job.status) ? [] : [job],
    );
  }

  async listen(jobId: string, listener: Listener): Promise<Lease> {
    const known = this.#watched.get(jobId);
    if (known !== undefined && (await this.#isPast(known))) this.#forget(jobId, known);
    const watched = this.#watched.get(jobId) ?? this.#open(jobId);
    if (watched.closing !== null) clearTimeout(watched.closing);
    watched.closing = null;
    watched.listeners.add(listener);
    watched.looking ??= this.#look(watched, 0);
    return {
      watcher: watched.watcher,
      snapshotFrame: () => snapshotFrame(watched),
      liveFrames: () => [...watched.told.values()].map(({ frame }) => frame),
      release: () => {
        this.#leave(jobId, watched, listener);
      },
    };
  }

  close(): void {
    for (const [jobId, watched] of [...this.#watched]) this.#forget(jobId, watched);
  }

  /** Its watch is over, and the job has a newer run (or has come to exist). */
  async #isPast({ watcher }: Watched): Promise<boolean> {
    if (watcher.phase === 'missing') return true;
    if (watcher.phase !== 'over') return false;
    const run = await this.#options.jobs.find(watcher.jobId).catch(() => null);
    return run !== null && run.run_id !== (watcher.run?.run_id ?? watcher.job?.run_id);
  }

  #open(jobId: string): Watched {
    const listeners = new Set<Listener>();
    const watcher = new JobWatcher(jobId, {
      jobs: this.#options.jobs,
      archive: this.#options.archive,
      past: this.#past,
      recorded: this.#options.recorded,
      onJob: this.#options.onJob,
      onLost: (error) => {
        this.#options.onLost(jobId, error);
      },
      onChange: () => {
        for (const listener of [...listeners]) listener.onChange();
      },
    });
    const watched: Watched = {
      watcher,
      listeners,
      snapshot: null,
      told: new Map(),
      looking: null,
      closing: null,
    };
    this.#watched.set(jobId, watched);
    return watched;
  }

  #leave(jobId: string, watched: Watched, listener: Listener): void {
    if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return;
    if (watched.looking !== null) clearTimeout(watched.looking);
    watched.looking = null;
    watched.closing = setTimeout(() => {
      this.#forget(jobId, watched);
    }, this.#options.grace ?? GRACE);
  }

  #forget(jobId: string, watched: Watched): void {
    if (watched.closing !== null) clearTimeout(watched.closing);
    if (watched.looking !== null) clearTimeout(watched.looking);
    watched.looking = null;
    if (watched.snapshot !== null) clearTimeout(watched.snapshot.until);
    watched.watcher.close();
    this.#past.forget(jobId);
    if (this.#watched.get(jobId) === watched) this.#watched.delete(jobId);
  }

  #look(watched: Watched, delay = this.#options.every ?? EVERY): NodeJS.Timeout {
    return setTimeout(() => {
      void watched.watcher.ready
        .then(() => this.#tell(watched))
        .catch(() => undefined) // the watcher itself notices when Temporal is away
        .then(() => {
          if (watched.looking !== null) watched.looking = this.#look(watched);
        });
    }, delay);
  }

  async #tell(watched: Watched): Promise<void> {
    const { watcher, listeners, told } = watched;
    const before = new Map(told);
    told.clear();
    if (watcher.phase !== 'live' || !isUnderWay(watcher.job)) return; // H1
    const run = await this.#options.jobs.find(watcher.jobId);
    if (run === null || run.run_id !== watcher.run?.run_id) return;
    const hasRenderWorkers = run.pending.some(isScheduled)
      ? await this.#options.hasRenderWorkers()
      : null;
    for (const data of this.#progressOf(watcher, run, hasRenderWorkers)) {
      const text = JSON.stringify(data);
      const known = before.get(data.clip_index);
      const frame = known?.text === text ? known.frame : frameOf('clip.progress', data);
      told.set(data.clip_index, { text, frame });
      if (frame === known?.frame) continue;
      for (const listener of [...listeners]) listener.onVolatile(frame);
    }
  }

  #progressOf(
    { job, jobId, stale }: JobWatcher,
    run: Run,
    hasRenderWorkers: boolean | null,
  ): ClipProgress[] {
    return run.pending.flatMap((activity) => {
      const index = clipOfActivity(activity.activity_id)?.clip_index;
      const clip = job?.clips.find(({ clip_index }) => clip_index === index) ?? null;
      const data = clipProgress(jobId, {
        activity,
        clip,
        usual_time: this.#options.usualTime(clip?.model ?? job?.model ?? ''),
        hasRenderWorkers,
        now: Date.now(),
      });
      return data === null ? [] : [stale ? { ...data, stale } : data];
    });
  }
}

/** Encoded once for all who arrive between two events. */
function snapshotFrame(watched: Watched): Buffer | null {
  const { job, stale } = watched.watcher;
  if (job === null) return null;
  const known = watched.snapshot;
  if (known?.job === job && known.stale === stale) return known.frame;
  if (known !== null) clearTimeout(known.until);
  const frame = frameOf('snapshot', stale ? { ...job, stale, source: 'memory' } : job);
  const until = setTimeout(() => {
    watched.snapshot = null;
  }, SNAPSHOT).unref();
  watched.snapshot = { job, stale, frame, until };
  return frame;
}

/** Has it clips that Temporal knows something of? */
const isUnderWay = (job: Job | null): boolean =>
  job?.clips.some((clip) => isStarted(clip) && !isClipOver(clip.status)) === true;
