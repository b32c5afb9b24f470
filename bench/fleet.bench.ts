/**
 * 50 jobs of 20 clips on one worker and on four, in a folder and in a bucket: clips a minute, and the memory of each worker.
 * Renders, rates and pictures of videos take no time, so that what is measured is this program on the processors of one machine.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startBucket } from '../test/support/bucket.js';
import type { Bucket } from '../test/support/bucket.js';
import { planOf } from '../test/support/plans.js';
import { World } from '../test/support/world.js';
import { once, report, timed } from './support/figures.js';

const JOBS = 50;
const CLIPS = 20;
const program = fileURLToPath(
  new URL('../test/support/unbraked-worker-process.mjs', import.meta.url),
);

/** MiB, the most it ever had. */
async function peakMemory(pid: number): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmHWM:\s*(\d+) kB/.exec(text)?.[1] ?? 0) / 1024;
}

async function measure(workers: number, bucket: Bucket | null) {
  await using world = await World.create({
    speed: 2_000,
    worker: program,
    ...(bucket === null ? {} : { bucket }),
  });
  await world.control('POST', '/settings', {
    creates_per_minute: 60_000,
    requests_per_minute: 600_000,
    clip_max_width: 64,
  });
  const fleet = await Promise.all(Array.from({ length: workers }, () => world.startWorker()));
  await world.start(planOf(['warm up'])).then((run) => run.end());
  const prompts = Array.from({ length: CLIPS }, (_, index) => `clip ${String(index)}`);
  const { seconds, value: jobs } = await timed(async () => {
    const runs = await Promise.all(
      Array.from({ length: JOBS }, () => world.start(planOf(prompts))),
    );
    return Promise.all(runs.map((run) => run.end()));
  });
  const stored = jobs.reduce((sum, { successful_clips }) => sum + successful_clips, 0);
  if (stored !== JOBS * CLIPS) throw new Error(`expected all clips, ${String(stored)} are stored`);
  const memory = await Promise.all(fleet.map(({ pid }) => peakMemory(pid)));
  return {
    workers,
    store: bucket === null ? 'folder' : 'bucket',
    'clips a minute': (stored / seconds) * 60,
    'MiB of a worker, smallest': Math.min(...memory),
    'MiB of a worker, largest': Math.max(...memory),
  };
}

once('a fleet', async () => {
  await using bucket = await startBucket();
  const rows = [];
  for (const store of [null, bucket]) {
    for (const workers of [1, 4]) rows.push(await measure(workers, store));
  }
  report({
    title: `${String(JOBS)} jobs of ${String(CLIPS)} clips`,
    rows,
    ratios: ['clips a minute'],
  });
});
