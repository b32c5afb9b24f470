/**
 * Everything that is finished in one file: the videos and `result.json`. Each video goes from the network into the
 * archive as it comes. What is known of sizes is checked before; a video that cannot be had whole fails all of it, by name.
 */
import type { Clip, Job } from '../domain/job/job.schema.js';
import { mediaUrl } from './api-key.js';
import { archiveLength, archiveName, archiveOf, clipNames, type ArchiveFile } from './archive.js';
import { clipName, size } from './format.js';
import { chooseDestination, type Destination } from './save-file.js';
import { askSize, videoBytes, type Video } from './video-bytes.js';

export interface DownloadProgress {
  text: string;
  /** 0 to 1; null while that cannot be known. */
  share: number | null;
}

export type DownloadOutcome = 'saved' | 'dismissed' | 'canceled';

/** Throws a sentence when it fails. `controller` cancels it, and is aborted when it is over. */
export async function downloadAll(
  job: Job,
  report: (progress: DownloadProgress) => void,
  controller: AbortController,
): Promise<DownloadOutcome> {
  const { signal } = controller;
  let destination: Destination | null = null;
  let isWriting = false;
  try {
    destination = await chooseDestination(archiveName(job.job_id));
    if (destination === null) return 'dismissed';
    const videos = await withSizes(videosOf(job), report, signal);
    let received = 0;
    const files = filesOf(job, videos, signal, (bytes, index) => {
      received += bytes;
      report({
        text: `Fetching video ${String(index + 1)} of ${String(videos.length)} · ${size(received)}${total === null ? '' : ` of ${size(total)}`}`,
        share: total === null ? null : received / total,
      });
    });
    const total = archiveLength(files);
    refuseTooLarge(total, destination);
    isWriting = true;
    await destination.write(archiveOf(files), signal);
    return 'saved';
  } catch (error) {
    if (!signal.aborted) throw error;
    return 'canceled';
  } finally {
    if (!isWriting) await destination?.discard().catch(() => undefined);
    controller.abort(); // however it ended, no video is fetched any longer
  }
}

type Sized = Video & { clip: Clip; size: number | null };

const videosOf = (job: Job): (Video & { clip: Clip })[] =>
  job.clips.flatMap((clip) => {
    const url = clip.status === 'succeeded' ? mediaUrl(clip.video_url) : null;
    return url === null ? [] : [{ clip, url, name: clipName(clip.clip_index) }];
  });

async function withSizes(
  videos: readonly (Video & { clip: Clip })[],
  report: (progress: DownloadProgress) => void,
  signal: AbortSignal,
): Promise<Sized[]> {
  const sized: Sized[] = [];
  for (const [index, video] of videos.entries()) {
    const text = `Looking at video ${String(index + 1)} of ${String(videos.length)}`;
    report({ text, share: null });
    sized.push({ ...video, size: await askSize(video, signal) });
  }
  return sized;
}

function filesOf(
  job: Job,
  videos: readonly Sized[],
  signal: AbortSignal,
  onBytes: (bytes: number, index: number) => void,
): ArchiveFile[] {
  const result = new TextEncoder().encode(`${JSON.stringify(job, null, 2)}\n`);
  const names = clipNames(videos.map(({ clip }) => clip.clip_index));
  const dated = (at: string | null): Date => new Date(at ?? job.created_at);
  return [
    {
      name: 'result.json',
      at: dated(job.completed_at),
      size: result.length,
      bytes: () => result,
    },
    ...videos.map((video, index) => ({
      name: names[index] ?? '',
      at: dated(video.clip.completed_at),
      size: video.size,
      bytes: () =>
        counted(videoBytes(video, signal), (bytes) => {
          onBytes(bytes, index);
        }),
    })),
  ];
}

async function* counted<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  count: (bytes: number) => void,
): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

function refuseTooLarge(total: number | null, { limit }: Destination): void {
  if (total === null || limit === null || total <= limit) return;
  throw new Error(
    `These videos are ${size(total)} together; this browser can keep at most ${size(limit)} until a download is whole. Open the page in Chrome or Edge over https, or download clips one by one.`,
  );
}
