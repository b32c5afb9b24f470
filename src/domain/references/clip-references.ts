/**
 * The files of a resolved clip: which are checked before anything is paid, and the clip after its composite is uploaded or
 * its images are dropped. Pure. The texts of a clip are never part of `input`, so every URL there is a file.
 */
import type { MediaKind } from './assign-references.js';
import type { CompositeReference } from './composite.schema.js';
import type { Clip } from '../job/job.schema.js';
import { clipFilePath } from '../job/clip-files.js';
import type { ResolvedClip } from '../plan/resolved.js';

/** The files of one clip: images, the composite that is built of images, videos and sounds. */
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

/** The images of a composite, in drawing order. */
export const urlsOfComposite = (composite: CompositeReference): string[] => [
  composite.scene_url,
  ...composite.character_urls,
  ...composite.object_urls,
];

const MAX_SHOWN_URL = 100;

/** A URL, shortened for messages: it may have thousands of characters. */
export const shownUrl = (url: string): string =>
  url.length > MAX_SHOWN_URL ? `${url.slice(0, MAX_SHOWN_URL - 1)}…` : url;

/** The link to the composite of a clip; empty for a clip without one. */
export const compositeLink = (
  jobId: string,
  { clip_index, composite }: ResolvedClip,
): Pick<Clip, 'composite_url'> =>
  composite === undefined ? {} : { composite_url: clipFilePath(jobId, clip_index, 'composite') };

/** Null for a clip without files. */
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

/** The clip without its images; null where the model needs them, or the plan does not allow it. */
export function asTextOnly(clip: ResolvedClip): ResolvedClip | null {
  const { text_only: input, text_only_price: price = clip.price, ...rest } = clip;
  const { composite: _composite, media: _media, ...without } = rest;
  return input === undefined ? null : { ...without, input, price };
}
