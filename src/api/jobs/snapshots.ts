/**
 * Where a job's snapshot comes from, best source first: the stored job of a finished run, the run's result, the workflow's
 * answer; and while no worker answers, the last known state, marked as stale.
 *
 * SNAPSHOT-1 how a run ended, Temporal knows better than the workflow's last answer.
 * SNAPSHOT-2 requests at the same time share one query.
 * SNAPSHOT-3 a job is whole: what an answer of the workflow leaves out is asked for.
 */
import type { Job, JobSnapshot } from '../../domain/job/job.schema.js';
import { apply, isOver } from '../../domain/job/progress.js';
import { withClips, wholeJob } from '../../domain/job/whole-job.js';
import type { Archive } from './job-archive.js';
import { synthesizedTerminalEvents } from './synthesized-end.js';
import { answersOf, TemporalAway, WorkerAway } from './jobs-port.js';
import type { RunEnd, Jobs, Run } from './jobs-port.js';
import type { LastKnown } from './last-known.js';
import { isScheduled, withPending, withStoring } from './pending-clips.js';
import { isBlank } from './recorded-job.js';
import type { ReadRecordedJob } from './recorded-job.js';
import type { HasRenderWorkers } from './worker-presence.js';

interface Deps {
  jobs: Jobs;
  archive: Archive;
  lastKnown: LastKnown;
  recorded: ReadRecordedJob;
  hasRenderWorkers: HasRenderWorkers;
}

interface Asking {
  /** False: do not wait for a worker, answer from what is known without. */
  ask?: boolean;
}

export class Snapshots {
  readonly #deps: Deps;
  readonly #asking = new Map<string, Promise<JobSnapshot | null>>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Null when there is no such job; throws TemporalAway when that cannot be found out. */
  get(jobId: string, { ask = true }: Asking = {}): Promise<JobSnapshot | null> {
    if (!ask) return this.#read(jobId, false);
    const shared = this.#asking.get(jobId);
    if (shared) return shared; // SNAPSHOT-2
    const asking = this.#read(jobId, true).finally(() => this.#asking.delete(jobId));
    this.#asking.set(jobId, asking);
    return asking;
  }

  async #read(jobId: string, ask: boolean): Promise<JobSnapshot | null> {
    let run: Run | null;
    try {
      run = await this.#deps.jobs.find(jobId);
    } catch (error) {
      const known = error instanceof TemporalAway ? await this.#withoutTemporal(jobId) : null;
      if (known === null) throw error;
      return known;
    }
    return run === null ? this.#deps.archive.job(jobId) : this.#ofRun(run, ask);
  }

  /** A stored job is whole, but may run again by now: only Temporal knows. */
  async #withoutTemporal(jobId: string): Promise<JobSnapshot | null> {
    const known = this.#deps.lastKnown.get(jobId);
    const archived = await this.#deps.archive.job(jobId);
    if (archived !== null && (known === null || known.seq <= archived.seq)) {
      return { ...archived, stale: true, source: 'archive' };
    }
    return known === null ? null : { ...known, stale: true, source: 'memory' };
  }

  async #ofRun(run: Run, ask: boolean): Promise<JobSnapshot> {
    const { archive, jobs, lastKnown } = this.#deps;
    let end: RunEnd | null = null;
    if (run.closed_at !== null) {
      const archived = await archive.job(run.job_id);
      if (archived?.run_id === run.run_id) return archived;
      end = await jobs.runEnd(run.job_id, run.run_id);
      const result = end?.job ?? null;
      if (result !== null && isOver(result.status)) {
        return result.truncated === undefined ? result : this.#ofResult(run, result, ask);
      }
    }
    const job = ask ? await this.#answer(run) : null;
    if (job === null) return this.#lastKnown(run, end);
    lastKnown.set(job);
    return withStoring(closed(job, run, end), run.pending, await this.#hasRenderWorkers(run));
  }

  /** For a result that had to leave something out: the workflow has all of it, and the plan at least the texts. */
  async #ofResult(run: Run, result: Job, ask: boolean): Promise<JobSnapshot> {
    const whole = ask ? await this.#answer(run) : null;
    if (whole !== null && isOver(whole.status)) return whole;
    const recorded = await this.#deps.recorded(run);
    const planned = new Map(recorded?.clips.map((clip) => [clip.clip_index, clip]));
    const clips = result.clips.map((clip) => {
      const { prompt, metadata, duration_reason } = planned.get(clip.clip_index) ?? clip;
      return { ...clip, prompt, metadata, duration_reason };
    });
    return { ...withClips(result, clips), stale: true, source: 'history' };
  }

  #hasRenderWorkers({ pending, pinned_to = null }: Run): Promise<boolean | null> {
    return pending.some(isScheduled)
      ? this.#deps.hasRenderWorkers(pinned_to)
      : Promise.resolve(null);
  }

  async #answer(run: Run): Promise<Job | null> {
    try {
      const job = await wholeJob(answersOf(this.#deps.jobs, run));
      return isBlank(job) ? ((await this.#deps.recorded(run)) ?? job) : job;
    } catch (error) {
      if (error instanceof WorkerAway || error instanceof TemporalAway) return null;
      throw error;
    }
  }

  async #lastKnown(run: Run, end: RunEnd | null): Promise<JobSnapshot> {
    const known = this.#deps.lastKnown.get(run.job_id);
    const recorded = known?.run_id === run.run_id ? null : await this.#deps.recorded(run);
    const source = recorded === null ? 'memory' : 'history';
    const job = recorded ?? known;
    if (job === null) throw new TemporalAway('the history of this job cannot be read');
    const rendered = await this.#hasRenderWorkers(run);
    const corrected = withPending(closed(job, run, end), run.pending, rendered);
    return { ...corrected, stale: true, source };
  }
}

/** SNAPSHOT-1 */
const closed = (job: Job, run: Run, end: RunEnd | null): Job =>
  synthesizedTerminalEvents(job, run, end).reduce(apply, job);
