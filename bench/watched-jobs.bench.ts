/** Many jobs followed by one API process: what each holds while it is watched, with a quiet log and a full one, and afterwards. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Lease } from '../src/api/stream/progress-hub.js';
import type { Clip, Prediction } from '../src/domain/job/job.schema.js';
import { FakeJobs } from '../test/api/fake-jobs.js';
import { loneHub } from '../test/api/lone-hub.js';
import { once, report } from './support/figures.js';

const CASES = [
  { clips: 5, jobs: 2_000 },
  { clips: 1_000, jobs: 40 },
];
const EVENTS = 400;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Answers are copies, as they are when they come over a wire. */
class RemoteJobs extends FakeJobs {
  override async progress(jobId: string, runId: string) {
    return structuredClone(await super.progress(jobId, runId));
  }
  override async events(jobId: string, runId: string, after: number) {
    return structuredClone(await super.events(jobId, runId, after));
  }
}

const PREDICTION: Prediction = {
  id: 'xmqk3jq0g1rm80cmbq3r8d1e8c',
  attempt: 1,
  status: 'succeeded',
  url: 'https://replicate.com/p/xmqk3jq0g1rm80cmbq3r8d1e8c',
  created_at: '2026-11-23T10:00:00.000Z',
  completed_at: '2026-11-23T10:01:00.000Z',
  predict_time: 51.7,
  requested_duration: 5,
  unit_price: { usd: 0.07, per: 'second', as_of: '2026-11-20', source: 'https://replicate.com/x' },
  cost_usd: 0.35,
  billed: true,
  adopted: false,
};

/** With a prompt of 900 characters and two predictions each. */
function addJob(jobs: FakeJobs, jobId: string, count: number): void {
  jobs.add(jobId, count);
  const latest = jobs.latest(jobId);
  const prompt = 'a lighthouse in the rain, '.repeat(35);
  latest.job = {
    ...latest.job,
    clips: latest.job.clips.map((clip): Clip => ({
      ...clip,
      prompt,
      predictions: [PREDICTION, { ...PREDICTION, attempt: 2 }],
    })),
  };
}

const heap = async (): Promise<number> => {
  for (let round = 0; round < 3; round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

async function measure({ clips, jobs: count }: (typeof CASES)[number]) {
  const jobs = new RemoteJobs();
  const ids = Array.from({ length: count }, (_, index) => `job-${String(index)}`);
  for (const id of ids) addJob(jobs, id, clips);
  // The log of the fake is not the API's.
  const told = jobs.latest('job-0');
  for (let event = 0; event < EVENTS; event += 1) {
    jobs.run('job-0', event % clips);
  }
  const { events, job } = told;
  const hub = loneHub(jobs, 60_000);
  const before = await heap();
  const leases: Lease[] = [];
  const listener = { onChange: () => undefined, onVolatile: () => undefined };
  for (const id of ids) {
    const lease = await hub.listen(id, listener);
    await lease.watcher.ready;
    leases.push(lease);
  }
  const quiet = await heap();
  for (const { watcher } of leases.slice(1)) {
    const latest = jobs.latest(watcher.jobId);
    const own = latest.job;
    [latest.events, latest.job] = [events, job];
    await watcher.sync();
    [latest.events, latest.job] = [[], own];
  }
  const full = await heap();
  const held = leases.reduce((sum, { watcher }) => sum + watcher.log.held, 0);
  for (const { release } of leases) release();
  leases.length = 0;
  await new Promise((resolve) => setTimeout(resolve, 100));
  jobs.breakOff(); // the fake remembers who waited
  const after = await heap();
  hub.close();
  return {
    clips,
    jobs: count,
    'KiB a job, quiet': (quiet - before) / count / 1024,
    'KiB a job, log full': (full - before) / count / 1024,
    'of it frames': held / count / 1024,
    'KiB a job, unwatched': (after - before) / count / 1024,
  };
}

once('watched jobs', async () => {
  const rows = [];
  for (const one of CASES) rows.push(await measure(one));
  report({ title: 'Jobs that one API process follows', rows, ratios: ['KiB a job, quiet'] });
});
