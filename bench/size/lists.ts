/** Lists and figures over many finished jobs, in an API process that has just started and in one that runs. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createJobIndex, lineOf } from '../../src/adapters/storage/job-index.js';
import type { IndexLine } from '../../src/adapters/storage/job-index.js';
import { entryOf } from '../../src/domain/job/index-entry.js';
import { initialClip } from '../../src/domain/job/initial-job.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { accepted } from '../../test/support/checked-plans.js';
import { planOf, planWith } from '../../test/support/plans.js';
import type { World } from '../../test/support/world.js';
import { eventually } from '../../test/support/eventually.js';
import { initialJob } from '../../src/domain/job/initial-job.js';
import { Child } from '../support/child.js';
import { quantile, timed } from '../support/figures.js';
import type { Row } from '../support/figures.js';
import { quickWorld } from '../support/quick-world.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

const JOBS = 20_000;
const SEGMENT = 1_000;
/** As many are not packed yet. */
const LOOSE = 400;
const RUNNING = 50;
const CLIPS = 4;
const AGAIN = 20;

const STATES = ['succeeded', 'succeeded', 'succeeded', 'failed', 'canceled'] as const;
const MODELS = ['kwaivgi/kling-v2.5-turbo-pro', 'minimax/hailuo-02', 'google/veo-3.1'];
const PROMPT = 'A quiet harbour in the rain, seen from a slow boat. '.repeat(6);

const plan = accepted(planWith(CLIPS)).resolved;

function finishedJob(number: number): Job {
  const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
  const job_id = `job-${String(number).padStart(8, '0')}-4f1c-9a7e-${String(number % 97)}`;
  const run_id = `0199a2b4-5c1d-7e88-b7d2-${String(number).padStart(12, '0')}`;
  const job = initialJob(plan, { job_id, run_id, created_at: at, simulated: false });
  const status = STATES[number % STATES.length] ?? 'failed';
  return {
    ...job,
    status,
    model: MODELS[number % MODELS.length] ?? '',
    labels: [`customer ${String(number % 200)}`, number % 2 === 0 ? 'winter' : 'summer'],
    started_at: at,
    completed_at: new Date(Date.parse(at) + 90_000).toISOString(),
    total_cost_usd: 1.4,
    clips: plan.clips.map((clip) => ({
      ...initialClip(clip),
      status,
      prompt: `${String(number)} ${PROMPT}`,
      actual_duration: 5.04,
      cost_usd: 0.35,
    })),
  };
}

/** As operation leaves them: a folder a job, and the index in segments and its newest entries. */
async function generateJobs(
  dataDir: string,
  { jobs = JOBS, index = true }: { jobs?: number; index?: boolean } = {},
): Promise<void> {
  const writer = createJobIndex(createDirectoryStore(dataDir));
  let lines: IndexLine[] = [];
  for (let number = 0; number < jobs; number += 1) {
    const job = finishedJob(number);
    const folder = path.join(dataDir, 'jobs', job.job_id);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'job.json'), JSON.stringify(job, null, 2));
    const entry = entryOf(job);
    if (!index || entry === null) continue;
    if (number >= jobs - LOOSE) await writer.put(lineOf(entry));
    else lines.push(lineOf(entry));
    if (lines.length < SEGMENT && number !== jobs - LOOSE - 1) continue;
    await writer.putAll(lines);
    lines = [];
  }
}

/** Milliseconds until the whole answer is there. */
async function ask(url: string): Promise<number> {
  const { seconds } = await timed(async () => {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${String(answer.status)}`);
    return answer.text();
  });
  return seconds * 1_000;
}

const QUESTIONS: readonly [what: string, query: string][] = [
  ['list', '/v1/jobs?limit=50'],
  ['list of 100', '/v1/jobs?limit=100'],
  ['status=failed', '/v1/jobs?status=failed&limit=50'],
  ['model', '/v1/jobs?model=google/veo-3.1&limit=50'],
  ['label, rare', '/v1/jobs?label=customer%2017&limit=50'],
  ['q, the oldest job', '/v1/jobs?q=job-00000000&limit=50'],
  ['q, nothing like it', '/v1/jobs?q=zebra%20crossing&limit=50'],
  ['/metrics', '/metrics'],
];

interface Use {
  heap: number;
}

async function heapOf(env: Record<string, string>, questions: readonly string[]): Promise<number> {
  await using api = new Child('./api-process.mjs', { env });
  const { url } = await api.next<{ url: string }>();
  for (const question of questions) await ask(`${url}${question}`);
  return (await api.ask<Use>()).heap;
}

/** A row for each question: the first answer of a process that has just started, and later ones. */
export async function measureLists(world: World): Promise<Row[]> {
  const env = world.env;
  const before = await heapOf(env, ['/v1/jobs', '/metrics']);
  await generateJobs(world.data_dir);
  const held = (await heapOf(env, ['/v1/jobs', '/metrics'])) - before;
  const rows: Row[] = [];
  for (const [what, query] of QUESTIONS) {
    await using api = new Child('./api-process.mjs', { env });
    const { url } = await api.next<{ url: string }>();
    const first = await ask(`${url}${query}`);
    const later: number[] = [];
    for (let count = 0; count < AGAIN; count += 1) later.push(await ask(`${url}${query}`));
    rows.push({
      what,
      'first answer of a new process ms': first,
      'median ms': quantile(later, 0.5),
      'slowest ms': Math.max(...later),
      'bytes a job': held / JOBS,
    });
  }
  return rows;
}

/** The same folder as an older release left it: no index. How long until all are listed, and how lists answer meanwhile. */
export async function measureBackfill(world: World): Promise<Row[]> {
  await generateJobs(world.data_dir, { index: false });
  await using api = new Child('./api-process.mjs', { env: world.env });
  const { url } = await api.next<{ url: string }>();
  const meanwhile: number[] = [];
  const { seconds } = await timed(() =>
    eventually(
      'all to be listed',
      async () => {
        meanwhile.push(await ask(`${url}/v1/jobs?limit=50`));
        const answer = await fetch(`${url}/v1/jobs?q=job-00019999&limit=1`);
        const { jobs } = (await answer.json()) as { jobs: unknown[] };
        return { done: jobs.length === 1, value: null };
      },
      { timeout: 300_000 },
    ),
  );
  return [
    {
      'jobs without an index': JOBS,
      'all listed after s': seconds,
      'median ms meanwhile': quantile(meanwhile, 0.5),
      'slowest ms meanwhile': Math.max(...meanwhile),
    },
  ];
}

/** A world with running jobs, for lists to show. */
export async function worldWithRunning(): Promise<World> {
  const world = await quickWorld();
  for (let count = 0; count < RUNNING; count += 1) {
    await world.start(planOf(['[[hold:while-processing]] a long crossing']));
  }
  return world;
}
