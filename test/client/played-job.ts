/** What becomes of a job of two clips, told to the API's fake Temporal as the workflow would tell it. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { artifactPath } from '../support/stored-files.js';
import { clipFilePath } from '../../src/domain/job/clip-files.js';
import type { Harness } from '../api/harness.js';

export const VIDEO = 'not really a video';

export function begin({ jobs }: Harness, jobId: string): void {
  const { run_id, total_clips, model, estimated_cost_usd } = jobs.latest(jobId).job;
  jobs.tell(jobId, { type: 'job.started', run_id, total_clips, model, estimated_cost_usd });
  jobs.tell(jobId, { type: 'batch.started', batch: 1, batches: 1, clip_indexes: [0, 1] });
  jobs.run(jobId, 0);
}

export async function complete({ jobs, data_dir }: Harness, jobId: string): Promise<void> {
  for (const clip of jobs.latest(jobId).job.clips) {
    const { clip_index } = clip;
    const file = artifactPath(data_dir, jobId, clip_index, 'video');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, VIDEO);
    const video_url = clipFilePath(jobId, clip_index, 'video');
    const done = { ...clip, status: 'succeeded', percent: 100, video_url } as const;
    jobs.tell(jobId, { type: 'clip.completed', clip_index, clip: done });
  }
  jobs.tell(jobId, { type: 'job.completed', error: null, total_cost_usd: 0 });
  jobs.closeRun(jobId, 'completed');
}
