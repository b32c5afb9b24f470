/**
 * Reads the whole job of a run whose answer was truncated: its clips page by page, then the events recorded meanwhile. It
 * queries through the functions it is given and keeps no state.
 *
 * WHOLE-JOB-1 all clips have the state of the job's `seq`: the events after the first answer bring pages of different states to one.
 */
import { compensationOf } from './compensation.js';
import type { Clip, Job } from './job.schema.js';
import type { ClipPage, EventPage } from './pages.js';
import { clipsOf } from './pages.js';
import { apply } from './progress.js';

/** The queries of one run. */
export interface Answers {
  progress: () => Promise<Job>;
  clips: (from: number) => Promise<ClipPage>;
  events: (after: number) => Promise<EventPage>;
}

export async function wholeJob(run: Answers): Promise<Job> {
  const answer = await run.progress();
  if (answer.truncated === undefined) return answer;
  const pages: ClipPage[] = [];
  let newest = answer.seq;
  for (let from: number | null = 0; from !== null;) {
    const page: ClipPage = await run.clips(from);
    pages.push(page);
    newest = Math.max(newest, page.seq);
    from = page.next;
  }
  let job = withClips(answer, clipsOf(pages));
  while (job.seq < newest) {
    const { events } = await run.events(job.seq);
    if (events.length === 0) break;
    job = events.reduce(apply, job); // WHOLE-JOB-1
  }
  return job;
}

export function withClips({ truncated: _, ...job }: Job, clips: Clip[]): Job {
  const { compensation } = job;
  return { ...job, clips, ...(compensation && { compensation: compensationOf(clips) }) };
}
