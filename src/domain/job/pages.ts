/** Long lists as answers of the workflow: as many items a page as fit below Temporal's limit. Pure. */
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
/** Of one clip: their JSON is smaller than a page. */
const PAGE_LINES = 1_000;

/** At least one item, at most `most`, until one is undefined. */
export function upTo<T>(most: number, item: (place: number) => T | undefined): T[] {
  const taken: T[] = [];
  for (let bytes = 0; taken.length < most;) {
    const one = item(taken.length);
    if (one === undefined) break;
    bytes += jsonBytes(one);
    if (bytes > PAGE_BYTES && taken.length > 0) break;
    taken.push(one);
  }
  return taken;
}

/**
 * Pieces of clips: each clip once for every thousand of its predictions, so that a page may end in the middle of one, and
 * the next begins with the rest of it. `from` is the number of pieces before the page.
 */
export function pageOfClips({ seq, clips }: Job, from: number): ClipPage {
  const pieces = clips.flatMap(piecesOf);
  const page = upTo(pieces.length, (place) => pieces[from + place]?.());
  const next = from + page.length;
  return { seq, clips: page, next: next < pieces.length ? next : null };
}

/** Made when they are asked for. */
function piecesOf(clip: Clip): (() => Clip)[] {
  const { predictions } = clip;
  const count = Math.max(1, Math.ceil(predictions.length / PAGE_LINES));
  return Array.from({ length: count }, (_, place) => () => ({
    ...clip,
    predictions: predictions.slice(place * PAGE_LINES, (place + 1) * PAGE_LINES),
  }));
}

/** The clips that the pages of one job, in order, are made of. */
export function clipsOf(pages: readonly ClipPage[]): Clip[] {
  const clips: Clip[] = [];
  for (const piece of pages.flatMap((page) => page.clips)) {
    const last = clips.at(-1);
    if (last?.clip_index !== piece.clip_index) clips.push(piece);
    else clips.splice(-1, 1, { ...last, predictions: [...last.predictions, ...piece.predictions] });
  }
  return clips;
}
