/**
 * Everything that is finished in one file: the videos and `result.json`, packed in the browser. It
 * says which video it fetches; one that cannot be fetched fails the whole, by name.
 */
import type { Job } from '../domain/job.js';
import { authorization } from './api-key.js';
import { h } from './dom.js';
import { clipFile, clipName } from './format.js';
import { zipParts, type ZipEntry } from './zip.js';

export async function downloadAll(job: Job, report: (text: string) => void): Promise<void> {
  const ready = job.clips.filter((clip) => clip.status === 'succeeded' && clip.video_url !== null);
  const entries: ZipEntry[] = [
    { name: 'result.json', bytes: new TextEncoder().encode(`${JSON.stringify(job, null, 2)}\n`) },
  ];
  for (const [done, clip] of ready.entries()) {
    report(`Fetching video ${String(done + 1)} of ${String(ready.length)}…`);
    const response = await fetch(clip.video_url ?? '', { headers: authorization() });
    if (!response.ok) {
      throw new Error(
        `${clipName(clip.clip_index)} could not be fetched (${String(response.status)}).`,
      );
    }
    entries.push({
      name: clipFile(clip.clip_index, 'mp4'),
      bytes: new Uint8Array(await response.arrayBuffer()),
    });
  }
  report('');
  save(new Blob(zipParts(entries, new Date()), { type: 'application/zip' }), `${job.job_id}.zip`);
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  // The browser has taken the file over long before a minute is gone.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}
