/**
 * The files of a clip: their names, in the store and wherever a person saves them, the routes that serve them, and
 * their media types. Pure. Names come from `job_id` and `clip_index` alone, never from a provider.
 */

export const CLIP_FILES = {
  video: { extension: 'mp4', media_type: 'video/mp4' },
  thumbnail: { extension: 'jpg', media_type: 'image/jpeg' },
  /** What the clip's reference images were made into. */
  composite: { extension: 'composite.jpg', media_type: 'image/jpeg' },
  /** What was measured of the video; read by the store only. */
  facts: { extension: 'json', media_type: 'application/json' },
} as const;

export type ClipFile = keyof typeof CLIP_FILES;
type ServedClipFile = Exclude<ClipFile, 'facts'>;

/** `clip_000.mp4` */
export const clipFileName = (clipIndex: number, file: ClipFile): string =>
  `clip_${String(clipIndex).padStart(3, '0')}.${CLIP_FILES[file].extension}`;

/** The path of the route that serves the file. */
export const clipFilePath = (jobId: string, clipIndex: number, file: ServedClipFile): string =>
  `/v1/jobs/${encodeURIComponent(jobId)}/clips/${String(clipIndex)}/${file}`;
