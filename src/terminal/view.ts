/**
 * What the terminal shows of a job while it follows it: the job as folded from its stream, and what is the terminal's own. Pure.
 */
import { fold, openedWith, type FollowedJob } from '../client/followed-job.js';
import type { FollowItem } from '../client/follow-events.js';
import type { Job } from '../client/wire.js';

interface Place {
  page_url: string;
  ui_url: string | null;
  out: string;
}

export interface View extends FollowedJob {
  readonly place: Place;
  /** Why nothing new is heard; null while the stream is open. */
  readonly lost: string | null;
  /** Clips whose files are in `out`. */
  readonly saved: ReadonlySet<number>;
  /** A question or a remark under the bars. */
  readonly notice: string | null;
}

export const openView = (job: Job, place: Place): View => ({
  ...openedWith(job),
  place,
  lost: null,
  saved: new Set(),
  notice: null,
});

export function seen(view: View, item: FollowItem): View {
  if (item.kind === 'connected') return { ...view, lost: null };
  if (item.kind === 'lost') return { ...view, lost: item.reason };
  return { ...view, ...fold(view, item) };
}
