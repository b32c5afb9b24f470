/**
 * One watcher per job, for all its listeners: counted by reference, kept a moment after the last listener has left, then closed,
 * and everything read for it is dropped. While a job has listeners and clips under way, it also sends what is not durable: the
 * progress within an attempt.
 *
 * HUB-1 one look at a job's pending activities at a time, for all its listeners; none while no clip is under way.
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
  /** Log, job, phase or staleness of the watcher has changed. */
  onChange: () => void;
  /** A frame that is not durable and may be left out. */
  onVolatile: (frame: Buffer) => void;
}

export interface Lease {
  watcher: JobWatcher;
  snapshotFrame: () => Buffer | null;
  /** The last progress of the clips under way. */
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
  /** Milliseconds that a watcher is kept without listeners, and between looks at pending activities. */
  grace?: number;
  every?: number;
}

interface Watched {
  watcher: JobWatcher;
  listeners: Set<Listener>;
  snapshot: { job: Job; stale: boolean; frame: Buffer; until: NodeJS.Timeout } | null;
  /** The last progress frame of each clip under way. */
  progress: Map<number, { text: string; frame: Buffer }>;
  lookTimer: NodeJS.Timeout | null;
  closeTimer: NodeJS.Timeout | null;
}

const GRACE_MS = 5_000;
const LOOK_INTERVAL_MS = 2_000;
/** How long an encoded snapshot is kept: readers that arrive together share it, and it is as large as its job. */
const SNAPSHOT_MS = 1_000;

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

  /** Bytes of older events that are cached. */
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
    if (known !== undefined && (await this.#isOutdated(known))) this.#forget(jobId, known);
    const watched = this.#watched.get(jobId) ?? this.#open(jobId);
    if (watched.closeTimer !== null) clearTimeout(watched.closeTimer);
    watched.closeTimer = null;
    watched.listeners.add(listener);
    watched.lookTimer ??= this.#look(watched, 0);
    return {
      watcher: watched.watcher,
      snapshotFrame: () => snapshotFrame(watched),
      liveFrames: () => [...watched.progress.values()].map(({ frame }) => frame),
      release: () => {
        this.#leave(jobId, watched, listener);
      },
    };
  }

  close(): void {
    for (const [jobId, watched] of [...this.#watched]) this.#forget(jobId, watched);
  }

  /** Its watch is over, and the job has a newer run, or exists only now. */
  async #isOutdated({ watcher }: Watched): Promise<boolean> {
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
      progress: new Map(),
      lookTimer: null,
      closeTimer: null,
    };
    this.#watched.set(jobId, watched);
    return watched;
  }

  #leave(jobId: string, watched: Watched, listener: Listener): void {
    if (!watched.listeners.delete(listener) || watched.listeners.size > 0) return;
    if (watched.lookTimer !== null) clearTimeout(watched.lookTimer);
    watched.lookTimer = null;
    watched.closeTimer = setTimeout(() => {
      this.#forget(jobId, watched);
    }, this.#options.grace ?? GRACE_MS);
  }

  #forget(jobId: string, watched: Watched): void {
    if (watched.closeTimer !== null) clearTimeout(watched.closeTimer);
    if (watched.lookTimer !== null) clearTimeout(watched.lookTimer);
    watched.lookTimer = null;
    if (watched.snapshot !== null) clearTimeout(watched.snapshot.until);
    watched.watcher.close();
    this.#past.forget(jobId);
    if (this.#watched.get(jobId) === watched) this.#watched.delete(jobId);
  }

  #look(watched: Watched, delay = this.#options.every ?? LOOK_INTERVAL_MS): NodeJS.Timeout {
    return setTimeout(() => {
      void watched.watcher.ready
        .then(() => this.#sendProgress(watched))
        .catch(() => undefined) // the watcher itself notices when Temporal is away
        .then(() => {
          if (watched.lookTimer !== null) watched.lookTimer = this.#look(watched);
        });
    }, delay);
  }

  async #sendProgress(watched: Watched): Promise<void> {
    const { watcher, listeners, progress } = watched;
    const before = new Map(progress);
    progress.clear();
    if (watcher.phase !== 'live' || !isUnderWay(watcher.job)) return; // HUB-1
    const run = await this.#options.jobs.find(watcher.jobId);
    if (run === null || run.run_id !== watcher.run?.run_id) return;
    const hasRenderWorkers = run.pending.some(isScheduled)
      ? await this.#options.hasRenderWorkers(run.pinned_to ?? null)
      : null;
    for (const data of this.#progressOf(watcher, run, hasRenderWorkers)) {
      const text = JSON.stringify(data);
      const known = before.get(data.clip_index);
      const frame = known?.text === text ? known.frame : frameOf('clip.progress', data);
      progress.set(data.clip_index, { text, frame });
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

/** Encoded once for all readers that arrive between two events. */
function snapshotFrame(watched: Watched): Buffer | null {
  const { job, stale } = watched.watcher;
  if (job === null) return null;
  const known = watched.snapshot;
  if (known?.job === job && known.stale === stale) return known.frame;
  if (known !== null) clearTimeout(known.until);
  const frame = frameOf('snapshot', stale ? { ...job, stale, source: 'memory' } : job);
  const until = setTimeout(() => {
    watched.snapshot = null;
  }, SNAPSHOT_MS).unref();
  watched.snapshot = { job, stale, frame, until };
  return frame;
}

/** Has it clips with an activity? */
const isUnderWay = (job: Job | null): boolean =>
  job?.clips.some((clip) => isStarted(clip) && !isClipOver(clip.status)) === true;
