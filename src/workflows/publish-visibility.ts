/**
 * What lists of jobs are made of: the job's summary in its memo, and its state in search attributes where the server has them.
 *
 * V1 It adds no workflow task: it goes with what is decided anyway. It changes no more often than every five seconds after
 *    the first few changes, so that history grows with time, not with clips; a change of the job's state is always told.
 * V2 The server has the attributes when the run was started with them.
 */
import { upsertMemo, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { beginningsOf, summaryOf } from '../domain/job/job-summary.js';
import type { JobSummary, Job } from '../domain/job/job.schema.js';
import { attributesOf, STATUS_ATTRIBUTE } from '../domain/job/visibility.js';

const AT_ONCE = 10;
const EVERY = 5_000;

export class Visible {
  #shown: JobSummary | null = null;
  #room = AT_ONCE;
  #at = 0;

  show(job: Job): void {
    const summary = summaryOf(job);
    const isNew = this.#shown?.status !== summary.status || this.#shown.model !== summary.model;
    if (!isNew && !this.#hasRoomFor(summary)) return; // V1
    const hasPrompts = this.#shown?.total_clips === summary.total_clips;
    this.#shown = summary;
    this.#room = Math.max(0, this.#room - 1);
    upsertMemo({ job: summary, ...(hasPrompts ? {} : { beginnings: beginningsOf(job.clips) }) });
    if (isNew && workflowInfo().typedSearchAttributes.get(STATUS_ATTRIBUTE) !== undefined) {
      upsertSearchAttributes(attributesOf(summary)); // V2
    }
  }

  #hasRoomFor(summary: JobSummary): boolean {
    const now = Date.now();
    this.#room = Math.min(AT_ONCE, this.#room + (now - this.#at) / EVERY);
    this.#at = now;
    return this.#room >= 1 && worth(summary) !== worth(this.#shown);
  }
}

/** What the count of events alone changes is not worth a change. */
const worth = (summary: JobSummary | null): string =>
  JSON.stringify({ ...summary, seq: 0, warnings_total: 0 });
