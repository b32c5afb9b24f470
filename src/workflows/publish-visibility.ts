/**
 * Publishes what lists of jobs are made of: the job's summary in the memo of its workflow, and its state in search attributes
 * where the server has them.
 *
 * VISIBILITY-1 It causes no workflow task: the commands go with the task that is running. After the first few changes it
 *    publishes every five seconds at most, so that history grows with time, not with clips. A change of the job's state is
 *    published at once.
 * VISIBILITY-2 The server has the attributes when the run was started with them.
 */
import { upsertMemo, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { beginningsOf, summaryOf } from '../domain/job/job-summary.js';
import type { JobSummary, Job } from '../domain/job/job.schema.js';
import { attributesOf, STATUS_ATTRIBUTE } from '../domain/job/visibility.js';

/** Changes that may be published without a pause, and the milliseconds after which there is room for one more. */
const BURST = 10;
const INTERVAL = 5_000;

export class VisibilityPublisher {
  #published: JobSummary | null = null;
  #room = BURST;
  #at = 0;

  publish(job: Job): void {
    const summary = summaryOf(job);
    const isNew =
      this.#published?.status !== summary.status || this.#published.model !== summary.model;
    if (!isNew && !this.#hasRoomFor(summary)) return; // VISIBILITY-1
    const hasPrompts = this.#published?.total_clips === summary.total_clips;
    this.#published = summary;
    this.#room = Math.max(0, this.#room - 1);
    upsertMemo({ job: summary, ...(hasPrompts ? {} : { beginnings: beginningsOf(job.clips) }) });
    if (isNew && workflowInfo().typedSearchAttributes.get(STATUS_ATTRIBUTE) !== undefined) {
      upsertSearchAttributes(attributesOf(summary)); // VISIBILITY-2
    }
  }

  #hasRoomFor(summary: JobSummary): boolean {
    const now = Date.now();
    this.#room = Math.min(BURST, this.#room + (now - this.#at) / INTERVAL);
    this.#at = now;
    return this.#room >= 1 && visiblePart(summary) !== visiblePart(this.#published);
  }
}

/** A change of the number of events alone is not published. */
const visiblePart = (summary: JobSummary | null): string =>
  JSON.stringify({ ...summary, seq: 0, warnings_total: 0 });
