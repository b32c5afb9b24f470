/**
 * Everything the terminal knows of a job while it follows it, and how that changes with each item of the stream.
 * Folds durable events with the workflow's own `apply`; what a clip does right now is kept beside the job,
 * never in it. Pure.
 */
import { apply, isClipEvent } from '../domain/job/progress.js';
import type { Job } from '../domain/job/job.schema.js';
import type { ClipProgress, StreamItem } from './event-stream.js';

export interface Place {
  page_url: string;
  ui_url: string | null;
  out: string;
}

export interface View {
  job: Job;
  /** By clip_index; forgotten at the clip's next durable event. */
  live: ReadonlyMap<number, ClipProgress>;
  place: Place;
  /** Why nothing new is heard; null while the stream is open. */
  lost: string | null;
  /** Clips whose files are in `out`. */
  saved: ReadonlySet<number>;
  /** A question or a remark under the bars. */
  notice: string | null;
}

export const openView = (job: Job, place: Place): View => ({
  job,
  live: new Map(),
  place,
  lost: null,
  saved: new Set(),
  notice: null,
});

export function seen(view: View, item: StreamItem): View {
  switch (item.kind) {
    case 'connected':
      return { ...view, lost: null };
    case 'lost':
      return { ...view, lost: item.reason };
    case 'snapshot':
      return { ...view, job: item.job, live: new Map() };
    case 'progress':
      return {
        ...view,
        live: new Map(view.live).set(item.progress.clip_index, item.progress),
      };
    case 'event': {
      const job = apply(view.job, item.event);
      if (!isClipEvent(item.event)) return { ...view, job };
      const live = new Map(view.live);
      live.delete(item.event.clip_index);
      return { ...view, job, live };
    }
  }
}
