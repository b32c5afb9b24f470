/**
 * A job's files, fetched into a folder while the job still runs. Two at a time; each is written under another name,
 * checked against the size the server gave and the hash that the job has, and then renamed.
 *
 * FILES-1 a file under its final name is complete.
 * FILES-2 a clip is fetched once, however often it is offered; an attempt that failed is tried again for a minute.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inheritedUmask } from '../config.js';
import { linkedTo } from '../client/abortable.js';
import { ApiError, reasonOf } from '../client/api-error.js';
import type { Client } from '../client/create-client.js';
import type { Clip, Job } from '../client/wire.js';
import { clipFileName } from '../domain/job/clip-files.js';

interface Downloads {
  /** Every finished clip that was not offered before. */
  offer(job: Job): void;
  /** Resolves when everything offered is there or has failed for good. */
  finish(): Promise<DownloadResult>;
  abort(): void;
}

interface DownloadResult {
  files: ReadonlyMap<number, string>;
  /** One sentence a file that could not be had. */
  failures: readonly string[];
}

const AT_ONCE = 2;
const PATIENCE = 60_000;

export function startDownloads(
  api: Client,
  out: string,
  saved: (clipIndex: number) => void,
): Downloads {
  const stop = new AbortController();
  const offered = new Set<number>();
  const waiting: Clip[] = [];
  const working = new Set<Promise<void>>();
  const files = new Map<number, string>();
  const failures: string[] = [];

  const fetchClip = async (clip: Clip): Promise<void> => {
    const { clip_index, video_url, thumbnail_url, video_sha256: sha256 } = clip;
    const parts = [
      { from: video_url, name: clipFileName(clip_index, 'video'), needed: true, sha256 },
      { from: thumbnail_url, name: clipFileName(clip_index, 'thumbnail'), needed: false },
    ];
    for (const { from, name, needed, sha256 } of parts) {
      if (from === null) continue;
      try {
        const file = { from, to: path.join(out, name), sha256 };
        await persistently(() => fetchFile(api, file, stop.signal), stop.signal);
        if (needed) files.set(clip.clip_index, name);
      } catch (error) {
        if (stop.signal.aborted) return;
        failures.push(`${name} could not be fetched: ${reasonOf(error)}`);
      }
    }
    saved(clip.clip_index);
  };
  const work = async (): Promise<void> => {
    for (let clip = waiting.shift(); clip !== undefined; clip = waiting.shift()) {
      await fetchClip(clip);
    }
  };
  return {
    offer(job) {
      for (const clip of job.clips) {
        if (clip.status !== 'succeeded' || offered.has(clip.clip_index)) continue; // FILES-2
        offered.add(clip.clip_index);
        waiting.push(clip);
      }
      while (working.size < AT_ONCE && waiting.length > working.size) {
        const worker = work().finally(() => working.delete(worker));
        working.add(worker);
      }
    },
    async finish() {
      while (working.size > 0) await Promise.all(working);
      return { files, failures };
    },
    abort() {
      stop.abort();
    },
  };
}

interface FileToFetch {
  from: string;
  to: string;
  /** Hex; undefined where the job does not have it. */
  sha256: string | undefined;
}

async function fetchFile(
  api: Client,
  { from, to, sha256 }: FileToFetch,
  signal: AbortSignal,
): Promise<void> {
  const limit = linkedTo(signal);
  const timer = setTimeout(() => {
    limit.abort(new DOMException('no end of the file in time', 'TimeoutError'));
  }, PATIENCE);
  const unfinished = `${to}.part`;
  try {
    const headers = { 'accept-encoding': 'identity' };
    const response = await api.file(from, { signal: limit.signal, headers });
    const expected = announcedLength(response);
    if (response.body === null) throw new Error('expected a file, got an empty answer');
    await makeFolder(path.dirname(to));
    const hash = createHash('sha256');
    await pipeline(
      Readable.fromWeb(response.body),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(unfinished),
    );
    const { size } = await stat(unfinished);
    if (size === 0 || (expected !== null && size !== expected)) {
      throw new Error(
        `expected ${expected === null ? 'a file of some' : String(expected)} bytes, got ${String(size)}`,
      );
    }
    const received = hash.digest('hex');
    if (sha256 !== undefined && received !== sha256) {
      throw new Error(
        `expected the file with the SHA-256 ${sha256} of the job, got one with ${received}`,
      );
    }
    await handOver(unfinished);
    await rename(unfinished, to); // FILES-1
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    clearTimeout(timer);
    limit.release();
  }
}

/** Null: not told, or told of the answer as a proxy has coded it, which `fetch` has decoded since. */
function announcedLength({ headers }: Response): number | null {
  const coding = headers.get('content-encoding') ?? 'identity';
  const length = headers.get('content-length') ?? '';
  return coding === 'identity' && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

/** Refusals are final; everything else (a restart, a cut connection) may pass. */
async function persistently(task: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (let failures = 0; ;) {
    try {
      await task();
      return;
    } catch (error) {
      failures += 1;
      const final = error instanceof ApiError && error.isFinal;
      if (final || isDiskError(error) || signal.aborted || Date.now() > end) throw error;
      await sleep(Math.min(5_000, 200 * 2 ** failures), undefined, { signal });
    }
  }
}

const isDiskError = (error: unknown): boolean =>
  ['ENOSPC', 'EACCES', 'EROFS', 'ENOTDIR', 'EISDIR'].includes(
    String((error as NodeJS.ErrnoException).code),
  );

/** Files here are the person's, by their own umask; the process has a stricter one for DATA_DIR. */
async function handOver(place: string, mode = 0o666): Promise<void> {
  const umask = inheritedUmask();
  // Where a file system has modes of its own, they stand.
  if (umask !== null) await chmod(place, mode & ~umask).catch(() => undefined);
}

async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = path.dirname(path.resolve(first));
  for (let made = path.resolve(folder); made !== top; made = path.dirname(made)) {
    await handOver(made, 0o777);
  }
}

export async function writeResult(out: string, job: Job): Promise<void> {
  await makeFolder(out);
  const file = path.join(out, 'result.json');
  await writeFile(`${file}.part`, `${JSON.stringify(job, null, 2)}\n`);
  await handOver(`${file}.part`);
  await rename(`${file}.part`, file);
}
