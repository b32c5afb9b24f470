/**
 * The images of a resolved clip: which have to be looked at before anything is paid, and what the clip becomes when
 * its composite is uploaded or when it goes on without them. Pure; the texts of a clip are never part of `input`, so
 * whatever looks like a URL there is a file.
 */
import type { MediaKind } from './assign-references.js';
import type { CompositeReference } from './composite.schema.js';
import type { Clip } from '../job/job.schema.js';
import { clipFilePath } from '../job/clip-files.js';
import type { ResolvedClip } from '../plan/resolved.js';

/** The files that one clip sends: images by URL, and to be built of others; videos and sounds by URL. */
export interface ClipReferences {
  clip_index: number;
  urls: string[];
  composite?: CompositeReference;
  media?: MediaFile[];
}

export interface MediaFile {
  kind: MediaKind;
  url: string;
}

const isUrl = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z][a-z\d+.-]*:\/\//i.test(value);

/** Every URL that a composite is built of, in the order in which they are drawn. */
export const urlsOfComposite = (composite: CompositeReference): string[] => [
  composite.scene_url,
  ...composite.character_urls,
  ...composite.object_urls,
];

const LONGEST_URL = 100;

/** As a message shows it: it may be two thousand characters long, and there may be a thousand of them. */
export const shownUrl = (url: string): string =>
  url.length > LONGEST_URL ? `${url.slice(0, LONGEST_URL - 1)}…` : url;

/** Where people find the picture that is made for a clip; nothing for clips that take images as they are, or none. */
export const compositeLink = (
  jobId: string,
  { clip_index, composite }: ResolvedClip,
): Pick<Clip, 'composite_url'> =>
  composite === undefined ? {} : { composite_url: clipFilePath(jobId, clip_index, 'composite') };

/** Null where there is nothing to look at. */
export function referencesIn(clip: ResolvedClip): ClipReferences | null {
  const { clip_index, composite, media: kinds = {} } = clip;
  const media: MediaFile[] = [];
  const images = new Set<string>();
  for (const [input, value] of Object.entries(clip.input)) {
    const kind = Object.hasOwn(kinds, input) ? kinds[input] : undefined;
    for (const url of [value].flat().filter(isUrl)) {
      if (kind === undefined) images.add(url);
      else media.push({ kind, url });
    }
  }
  if (images.size === 0 && composite === undefined && media.length === 0) return null;
  return {
    clip_index,
    urls: [...images],
    ...(composite === undefined ? {} : { composite }),
    ...(media.length === 0 ? {} : { media }),
  };
}

export const withUpload = (clip: ResolvedClip, url: string): ResolvedClip =>
  clip.composite === undefined
    ? clip
    : {
        ...clip,
        input: {
          ...clip.input,
          [clip.composite.input]: clip.composite.as_list === true ? [url] : url,
        },
      };

/** The clip without its images; null where the model cannot do without, or the plan does not allow it. */
export function asTextOnly(clip: ResolvedClip): ResolvedClip | null {
  const { text_only: input, text_only_price: price = clip.price, ...rest } = clip;
  const { composite: _composite, media: _media, ...without } = rest;
  return input === undefined ? null : { ...without, input, price };
}
