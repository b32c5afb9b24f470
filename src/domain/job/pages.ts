/** Pages of long lists as query answers: as many items as fit below Temporal's limit. Pure. */
import type { Clip, Job, JobEvent } from './job.schema.js';
import { jsonBytes } from './payload-size.js';

/** Answer of query `clips`: clips in full, from a place in the job's list on; `next` is the place of the next page. */
export interface ClipPage {
  /** The seq of the job that these clips are of. */
  seq: number;
  clips: Clip[];
  next: number | null;
}

/** Answer of query `events`. */
export interface EventPage {
  events: JobEvent[];
  last_seq: number;
}

const PAGE_BYTES = 1_200_000;
/** Predictions of one clip on a page; their JSON is smaller than a page. */
const PAGE_PREDICTIONS = 1_000;

/** The items of one page: at least one and at most `max`, until `item` is undefined. */
export function takePage<T>(max: number, item: (place: number) => T | undefined): T[] {
  const taken: T[] = [];
  for (let bytes = 0; taken.length < max;) {
    const one = item(taken.length);
    if (one === undefined) break;
    bytes += jsonBytes(one);
    if (bytes > PAGE_BYTES && taken.length > 0) break;
    taken.push(one);
  }
  return taken;
}

/**
 * A page of clips. A clip with more than a thousand predictions is several pieces, so that a page may end within it and the
 * next one begins with the rest. `from` is the number of pieces before the page.
 */
export function pageOfClips({ seq, clips }: Job, from: number): ClipPage {
  const pieces = clips.flatMap(piecesOf);
  const page = takePage(pieces.length, (place) => pieces[from + place]?.());
  const next = from + page.length;
  return { seq, clips: page, next: next < pieces.length ? next : null };
}

/** Functions: a piece is made only when a page takes it. */
function piecesOf(clip: Clip): (() => Clip)[] {
  const { predictions } = clip;
  const count = Math.max(1, Math.ceil(predictions.length / PAGE_PREDICTIONS));
  return Array.from({ length: count }, (_, place) => () => ({
    ...clip,
    predictions: predictions.slice(place * PAGE_PREDICTIONS, (place + 1) * PAGE_PREDICTIONS),
  }));
}

/** Joins the pages of one job, in order, to its clips. */
export function clipsOf(pages: readonly ClipPage[]): Clip[] {
  const clips: Clip[] = [];
  for (const piece of pages.flatMap((page) => page.clips)) {
    const last = clips.at(-1);
    if (last?.clip_index !== piece.clip_index) clips.push(piece);
    else clips.splice(-1, 1, { ...last, predictions: [...last.predictions, ...piece.predictions] });
  }
  return clips;
}
