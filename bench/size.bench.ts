/**
 * Jobs at full size: what a run of the chain holds, what its replay costs, how soon a deploy resumes, and how large answers
 * become. Each row also holds the job against the ledger of the provider and its archive, and fails where they do not agree.
 * BENCH_SHARE=0.1 takes a tenth of every size; BENCH_JOBS=3 the fourth job alone, BENCH_JOBS=12 the second and the third.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { jobPath } from '../test/support/stored-files.js';
import { startApi } from '../src/api/server.js';
import { loadConfig } from '../src/config.js';
import type { Job, JobEvent } from '../src/domain/job/job.schema.js';
import { byteLength, MAX_PLAN_BYTES } from '../src/domain/plan/plan.schema.js';
import type { Plan } from '../src/domain/plan/plan.schema.js';
import { eventsQuery, retryClipSignal } from '../src/contract/workflow.js';
import { eventStream } from '../test/support/event-stream.js';
import { planOf } from '../test/support/plans.js';
import { runsOf } from '../test/support/runs.js';
import { Run } from '../test/support/world.js';
import type { World } from '../test/support/world.js';
import { once, report, timed } from './support/figures.js';
import type { Row } from './support/figures.js';
import { quickWorld } from './support/quick-world.js';
import { replayed } from './support/replayed.js';

const SHARE = Number(process.env['BENCH_SHARE'] ?? 1);
const CLIPS = Math.ceil(1_000 * SHARE);
/** Of the job that is retried. */
const PREDICTIONS = Number(process.env['BENCH_PREDICTIONS'] ?? Math.ceil(2_000 * SHARE));
const JOBS = process.env['BENCH_JOBS'] ?? '0123';
/** Of a run of the chain. */
const MOST = { events: 10_000, bytes: 10 * 2 ** 20 };
const ANSWER_LIMIT = 1.5 * 2 ** 20;
const MIB = 2 ** 20;

interface Size {
  job: string;
  plan: Plan;
  /** Is called with every event, once a job. */
  steer?: (run: Run) => (event: JobEvent) => void;
}

/** Clips whose prompts differ, and are as long as the largest plan allows. */
function sized(clips: number, tags = ''): Plan {
  const made = (length: number): Plan =>
    planOf(
      Array.from({ length: clips }, (_, index) =>
        `${tags}${String(index)} ${'of a quiet harbour in the rain, seen from a boat '.repeat(20)}`.slice(
          0,
          length,
        ),
      ),
      { dispatch: 'window', batch_size: 100, max_cost_usd: 10_000, min_successful_clips: clips },
    );
  return made(Math.floor((MAX_PLAN_BYTES * 0.99) / 1_000) - byteLength(made(0)) / clips);
}

/** Clips that fail whenever they are tried; each is asked for again at once, until there are as many predictions as wanted. */
const RETRIED: Size = {
  job: `25 clips, retried in their run to ${String(PREDICTIONS)} predictions`,
  plan: planOf(
    Array.from(
      { length: 25 },
      (_, index) => `${index === 0 ? '' : '[[flagged]] '}${String(index)}`,
    ),
    // Some always wait for their turn, so that the job is not over before they are asked for again.
    { dispatch: 'window', batch_size: 8, max_cost_usd: 100_000 },
  ),
  steer: (run) => {
    let predictions = 25;
    return (event) => {
      if (event.type !== 'clip.failed' || predictions >= PREDICTIONS) return;
      predictions += 1;
      const { clip_index, clip } = event;
      const { completed_at } = clip;
      run.handle.signal(retryClipSignal, { clip_index, completed_at }).catch((error: unknown) => {
        process.stderr.write(
          `clip ${String(clip_index)} was not asked for again: ${String(error)}\n`,
        );
      });
    };
  },
};

const SIZES: Size[] = [
  { job: '100 × 1', plan: sized(Math.ceil(CLIPS / 10)) },
  { job: `${String(CLIPS)} × 1`, plan: sized(CLIPS) },
  {
    job: `${String(CLIPS)} × 3, a rate warning each`,
    plan: sized(CLIPS, '[[fail-once:2]] [[http-429:0.1:1]] '),
  },
  RETRIED,
];

async function measure(world: World, size: Size): Promise<Row> {
  const api = await startApi(loadConfig(world.env), { port: 0 });
  try {
    return await measured(world, api.url, size);
  } finally {
    await api.close();
  }
}

async function measured(
  world: World,
  apiUrl: string,
  { job: name, plan, steer }: Size,
): Promise<Row> {
  const before = await world.stats();
  const started = Date.now();
  const run = await submit(world, apiUrl, plan);
  const url = `${apiUrl}/v1/jobs/${run.handle.workflowId}`;
  const events: JobEvent[] = [];
  const deploy = deployOnce(world, plan);
  const onEvent = steer?.(run);
  for await (const event of eventStream(`${url}/events?after=0`)) {
    events.push(event);
    onEvent?.(event);
    deploy.look(event);
  }
  const minutes = (Date.now() - started) / 60_000;
  const { deployed } = deploy;
  assert(deployed !== null, 'the job was over before the deploy');
  const at = await deployed;
  const next = events.find(
    (event) => event.type === 'clip.completed' && Date.parse(event.at) > at.ready,
  );
  const result = (await run.handle.result()) as Job;
  const progress = await run.progress();
  const page = await run.handle.query(eventsQuery, Math.max(0, progress.seq - 500));
  const whole = (await (await fetch(url)).json()) as Job;
  const stats = await world.stats();
  const creates = stats.creates - before.creates;
  await expectWhole(world, {
    plan,
    whole,
    events,
    creates,
    usd: stats.bills.usd - before.bills.usd,
  });
  const runs = await runsOf(world, run.handle.workflowId);
  const longest = runs.toSorted((a, b) => b.events - a.events).slice(0, 1);
  const [replay = NaN] = await replayed(world, run.handle.workflowId, longest);
  const answers = { progress, page, result };
  for (const [what, answer] of Object.entries(answers)) {
    assert(byteLength(answer) < ANSWER_LIMIT, `${what} has ${String(byteLength(answer))} bytes`);
  }
  for (const { events: count, bytes } of runs) {
    assert(
      count <= MOST.events && bytes <= MOST.bytes,
      `a run has ${String(count)} events, ${String(bytes)} bytes`,
    );
  }
  return {
    job: name,
    predictions: creates,
    minutes,
    runs: runs.length,
    'events a run': Math.max(...runs.map((one) => one.events)),
    'MiB a run': Math.max(...runs.map((one) => one.bytes)) / MIB,
    'replay CPU s': replay,
    'after a deploy s': next === undefined ? '–' : (Date.parse(next.at) - at.begun) / 1000,
    'progress KiB': byteLength(progress) / 1024,
    'events KiB': byteLength(page) / 1024,
    'result KiB': byteLength(result) / 1024,
    'reads a minute': (sum(stats.reads) - sum(before.reads)) / minutes,
  };
}

/** As users do it: what the API starts has more time for its steps than what Temporal's client starts by default. */
async function submit({ client }: World, apiUrl: string, plan: Plan): Promise<Run> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(plan);
  const answer = await fetch(`${apiUrl}/v1/jobs`, { method: 'POST', headers, body });
  assert.equal(answer.status, 202);
  const { job_id } = (await answer.json()) as Job;
  return new Run(client.workflow.getHandle(job_id));
}

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

interface Deployed {
  /** The old worker is told to end. */
  begun: number;
  /** Another polls. */
  ready: number;
}

/** Another worker in the place of the one that runs, when half of the clips are stored. */
function deployOnce(world: World, { clip_prompts }: Plan) {
  let deployed: Promise<Deployed> | null = null;
  const half = clip_prompts.length / 2;
  return {
    get deployed() {
      return deployed;
    },
    look({ type, progress, seq }: JobEvent): void {
      const isHalf =
        progress.succeeded >= half || (type === 'clip.failed' && seq > PREDICTIONS * 2);
      if (isHalf) deployed ??= deploy(world);
    },
  };
}

async function deploy(world: World): Promise<Deployed> {
  const begun = Date.now();
  await world.deploy();
  return { begun, ready: Date.now() };
}

interface Told {
  plan: Plan;
  whole: Job;
  events: readonly JobEvent[];
  creates: number;
  usd: number;
}

/** The job as the API has it is what was asked for, what was paid for, and what the archive holds. */
async function expectWhole(
  world: World,
  { plan, whole, events, creates, usd }: Told,
): Promise<void> {
  const { job_id, clips } = whole;
  assert.equal(whole.status, 'succeeded');
  assert.deepEqual(
    clips.map(({ prompt }) => prompt),
    plan.clip_prompts.map(({ prompt }) => prompt),
  );
  const lines = new Set(clips.flatMap(({ predictions }) => predictions.map(({ id }) => id)));
  assert.equal(lines.size, creates, 'a ledger line for each prediction');
  assert(Math.abs(whole.total_cost_usd - usd) < 1e-4, 'what the job says is what was billed');
  const numbers = Array.from({ length: whole.seq }, (_, index) => index + 1);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    numbers,
    'events without a gap',
  );
  const read = (file: 'job.json' | 'events.jsonl') =>
    readFile(jobPath(world.data_dir, job_id, file), 'utf8');
  assert.deepEqual(JSON.parse(await read('job.json')), whole, 'archived whole');
  const log = (await read('events.jsonl')).trim().split('\n');
  assert.deepEqual(
    log.map((line) => (JSON.parse(line) as JobEvent).seq),
    numbers,
    'with its whole log',
  );
}

once('jobs at full size', async () => {
  await using world = await quickWorld();
  await world.start(planOf(['warm up'])).then((run) => run.end());
  const rows: Row[] = [];
  for (const [place, size] of SIZES.entries()) {
    if (!JOBS.includes(String(place))) continue;
    const { seconds, value } = await timed(() => measure(world, size));
    process.stderr.write(`${size.job}: ${seconds.toFixed(0)} s ${JSON.stringify(value)}\n`);
    rows.push(value);
  }
  report({ title: 'A job at full size', rows, ratios: [] });
});
