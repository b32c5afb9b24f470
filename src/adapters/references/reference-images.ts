/**
 * Reference images: checked before anything is paid, and combined into one image (a composite) for models that take only one.
 * It owns the objects `composite-*.jpg` (kept with the job, each also under the names of its clips) and `reference-*` (scaled
 * down for a composite; removed when the job's images are ready or given up).
 *
 * REFERENCES-1 A composite is built once for each set of images and aspect ratio, and uploaded again only when the provider is
 *    about to delete its upload. Both are recorded in the store, so that a crash costs at most one more upload.
 * REFERENCES-2 Images are decoded one at a time, in a child process. An image that cannot be used fails the clips that use it,
 *    nothing else.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { MediaFile } from '../../domain/references/clip-references.js';
import { shownUrl, urlsOfComposite } from '../../domain/references/clip-references.js';
import type { FailureKind } from '../../domain/job/failures.js';
import type { CompositeReference } from '../../domain/references/composite.schema.js';
import { artifactFolder, artifactKey } from '../storage/store-keys.js';
import { keysBelow, readBytes, readText } from '../storage/store.js';
import type { Store } from '../storage/store.js';
import { kindOf } from '../media/file-kind.js';
import { createHazards } from '../media/hazards.js';
import { BadPart, ChildLost, media, NotAnImage, TooMuch } from '../media/media.js';
import type { CompositeParts, Images } from '../media/media.js';
import { createReferenceFetch } from './fetch-images.js';
import type { ReferenceFetchOptions } from './fetch-images.js';
import type { ReplicateFiles } from '../replicate/files-api.js';

/** Of one job. */
export interface References {
  /** Null when models take the image, else what is wrong with it. */
  check(url: string, how: { keep: boolean; signal: AbortSignal }): Promise<string | null>;
  /** Null when its first bytes are those of a video or a sound, else what is wrong with it. */
  checkMedia(file: MediaFile, signal: AbortSignal): Promise<string | null>;
  isBuilt(composite: CompositeReference): Promise<boolean>;
  /** Builds the composite of images that were checked and kept, unless it exists, and uploads it. */
  upload(composite: CompositeReference, signal: AbortSignal): Promise<Uploaded>;
  /** Gives a composite that is built the name of a clip it is for. */
  assign(composite: CompositeReference, clipIndex: number): Promise<void>;
  /** Removes the kept images. */
  tidy(): Promise<void>;
  /** Why nothing is being fetched right now; null while something is, or nothing was asked for. */
  waiting?(): string | null;
}

export type Uploaded =
  | { type: 'uploaded'; url: string; renew_at: string }
  | { type: 'failed'; kind: FailureKind; message: string };

export interface ReferencesOptions extends ReferenceFetchOptions {
  store: Store;
  /** A folder of this machine. */
  scratch: string;
  files: ReplicateFiles;
  /** Where uploads go. Those made at another provider are of no use. */
  provider: string;
  /** The product's own children when absent. */
  images?: Images;
  now?: () => number;
}

interface UploadRecord {
  provider: string;
  url: string;
  renew_at: string;
}

const MEDIA: Record<MediaFile['kind'], string> = { video: 'a video', audio: 'a sound' };
const RETRY_AFTER = [1_000, 3_000];
const UPLOAD_TRIES = 6;
/** Milliseconds for which an upload is kept, where the provider does not say. */
const LIFETIME = 3_600_000;
const MIN_RENEWAL = 300_000;

const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 16);

/** The same images at the same ratio are the same picture, whichever input it is for. */
const compositeName = (composite: CompositeReference): string =>
  `composite-${shortHash(
    JSON.stringify([
      composite.aspect_ratio,
      composite.scene_url,
      composite.character_urls,
      composite.object_urls,
    ]),
  )}.jpg`;

const keptName = (url: string): string => `reference-${shortHash(url)}`;

export type FindReferences = (jobId: string) => References;

/** REFERENCES-2 Of all jobs of this process: each may take hundreds of megabytes. */
const oneAtATime = pLimit(1);

export const createReferences = (options: ReferencesOptions): FindReferences => {
  const { store } = options;
  const images = options.images ?? media;
  const hazards = createHazards(options.scratch);
  return (jobId) => {
    const decoding = <T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
      oneAtATime(() => {
        signal.throwIfAborted();
        return hazards.guard(jobId, what, work);
      });
    const folder = artifactFolder(jobId);
    const fetching = createReferenceFetch(jobId, options);
    const pictureOf = (composite: CompositeReference): string =>
      `${folder}/${compositeName(composite)}`;
    return {
      waiting: () => fetching.waiting(),
      check: (url, { keep, signal }) =>
        fetching.fetch(url, signal, async (bytes) => {
          try {
            const { kept } = await decoding(url, signal, () => images.inspect(bytes, keep));
            if (kept !== null) await store.put(`${folder}/${keptName(url)}`, kept);
          } catch (error) {
            if (isOfImage(error)) return error.message;
            throw error;
          }
          return null;
        }),
      checkMedia: ({ kind, url }, signal) =>
        fetching.fetch(
          url,
          signal,
          (bytes) => {
            const { family, name } = kindOf(bytes);
            return Promise.resolve(family === kind ? null : `expected ${MEDIA[kind]}, got ${name}`);
          },
          MEDIA[kind],
        ),
      isBuilt: async (composite) => (await store.head(pictureOf(composite))) !== null,
      async upload(composite, signal) {
        const picture = pictureOf(composite);
        const known = await recordedUpload(picture, options);
        if (known !== null) return known; // REFERENCES-1
        if ((await store.head(picture)) === null) {
          const parts = await readParts(store, folder, composite);
          try {
            const compose = (): Promise<Uint8Array> => images.compose(parts);
            await store.put(picture, await decoding(picture, signal, compose), JPEG);
          } catch (error) {
            if (!isOfImage(error)) throw error;
            return { type: 'failed', kind: 'invalid_reference', message: blame(composite, error) };
          }
        }
        const uploaded = await uploadWithRetries(picture, options, signal);
        if (uploaded.type === 'uploaded') await recordUpload(picture, uploaded, options);
        return uploaded;
      },
      async assign(composite, clipIndex) {
        const picture = await readBytes(store, pictureOf(composite));
        if (picture === null) throw new Error('expected a composite that was built, there is none');
        await store.put(artifactKey(jobId, clipIndex, 'composite'), picture, JPEG);
      },
      async tidy() {
        for await (const key of keysBelow(store, `${folder}/reference-`)) {
          await store.delete(key);
        }
      },
    };
  };
};

const JPEG = { media_type: 'image/jpeg' };

async function readParts(
  store: Store,
  folder: string,
  composite: CompositeReference,
): Promise<CompositeParts> {
  const bytes = new Map<string, Uint8Array>();
  for (const url of new Set(urlsOfComposite(composite))) {
    const kept = await readBytes(store, `${folder}/${keptName(url)}`);
    if (kept !== null) bytes.set(url, kept);
  }
  const of = (url: string): Uint8Array => bytes.get(url) ?? new Uint8Array();
  return {
    aspect_ratio: composite.aspect_ratio,
    scene: of(composite.scene_url),
    characters: composite.character_urls.map(of),
    objects: composite.object_urls.map(of),
  };
}

/** Is an image at fault, and not the disk or this program? */
const isOfImage = (error: unknown): error is Error =>
  error instanceof NotAnImage ||
  error instanceof BadPart ||
  error instanceof TooMuch ||
  error instanceof ChildLost;

/** Names the image at fault, or all images where any of them may be. */
function blame(composite: CompositeReference, error: Error): string {
  const urls = urlsOfComposite(composite);
  const guilty = error instanceof BadPart ? urls.slice(error.index, error.index + 1) : urls;
  return `${guilty.map(shownUrl).join(', ')}: ${error.message}`;
}

async function uploadWithRetries(
  picture: string,
  options: ReferencesOptions,
  signal: AbortSignal,
): Promise<Uploaded> {
  const file = {
    name: picture.slice(picture.lastIndexOf('/') + 1),
    content_type: 'image/jpeg',
    bytes: (await readBytes(options.store, picture)) ?? new Uint8Array(),
  };
  for (let attempt = 1; ; attempt++) {
    const outcome = await options.files.upload(file, signal);
    switch (outcome.type) {
      case 'uploaded':
        return {
          type: 'uploaded',
          url: outcome.url,
          renew_at: renewal(outcome.expires_at, options),
        };
      case 'rejected':
        return { type: 'failed', kind: outcome.kind, message: outcome.message };
      case 'later': {
        if (attempt === UPLOAD_TRIES) {
          return { type: 'failed', kind: 'provider_error', message: outcome.message };
        }
        const [first = 0] = options.retry_after ?? RETRY_AFTER;
        const delay =
          outcome.seconds === null ? first * 2 ** (attempt - 1) : outcome.seconds * 1000;
        await sleep(delay, undefined, { signal });
      }
    }
  }
}

/** After half of the upload's life: a clip that starts before then leaves the model the other half to read it. */
function renewal(expiresAt: string | null, { now = Date.now }: ReferencesOptions): string {
  const life = expiresAt === null ? LIFETIME : Date.parse(expiresAt) - now();
  return new Date(now() + Math.max(MIN_RENEWAL, life / 2)).toISOString();
}

const recordOf = (picture: string): string => picture.replace(/\.jpg$/, '.json');

/** Null when there is no upload at this provider, or it is due for renewal. */
async function recordedUpload(
  picture: string,
  options: ReferencesOptions,
): Promise<Uploaded | null> {
  const text = await readText(options.store, recordOf(picture));
  if (text === null) return null;
  try {
    const record = JSON.parse(text) as UploadRecord;
    const { provider, url, renew_at } = record;
    const isGood =
      provider === options.provider && Date.parse(renew_at) > (options.now ?? Date.now)();
    return isGood ? { type: 'uploaded', url, renew_at } : null;
  } catch {
    return null;
  }
}

async function recordUpload(
  picture: string,
  { url, renew_at }: Extract<Uploaded, { type: 'uploaded' }>,
  { provider, store }: ReferencesOptions,
): Promise<void> {
  const record: UploadRecord = { provider, url, renew_at };
  await store.put(recordOf(picture), JSON.stringify(record));
}
