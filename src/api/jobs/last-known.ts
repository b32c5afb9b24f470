/** The latest snapshot of each recently seen job, for when neither worker nor Temporal answers. Bounded by clips, not by jobs. */
import type { Job } from '../../domain/job/job.schema.js';

const MAX_CLIPS = 20_000;

export class LastKnown {
  readonly #jobs = new Map<string, Job>();
  #clips = 0;

  get(jobId: string): Job | null {
    return this.#jobs.get(jobId) ?? null;
  }

  /** A snapshot older than the one known is ignored, unless it is of another run. */
  set(job: Job): void {
    const known = this.#jobs.get(job.job_id);
    if (known?.run_id === job.run_id && known.seq > job.seq) return;
    this.#forget(job.job_id);
    this.#jobs.set(job.job_id, job);
    this.#clips += job.clips.length;
    for (const oldest of this.#jobs.keys()) {
      if (this.#clips <= MAX_CLIPS || oldest === job.job_id) break;
      this.#forget(oldest);
    }
  }

  #forget(jobId: string): void {
    this.#clips -= this.#jobs.get(jobId)?.clips.length ?? 0;
    this.#jobs.delete(jobId);
  }
}
