/**
 * A chaos run: a stack of its own, the schedule carried out on it, then peace, and the books compared. It prints
 * what it does only through `log`, and always takes its stack down.
 */
import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { artifactPath } from '../adapters/artifact-store.js';
import type { StoredVideo } from '../adapters/artifact-store.js';
import { deadline } from '../adapters/deadline.js';
import { audit } from './audit.js';
import { Driver } from './driver.js';
import type { Booked, Ended, Finding } from './evidence.js';
import { figuresOf } from './figures.js';
import type { Figures } from './figures.js';
import { lastSeen } from './last-seen.js';
import { schedule } from './schedule.js';
import type { Blow, Schedule, ScheduledJob, Timed } from './schedule.js';
import { startChaosStack } from './stack.js';
import type { ChaosStack } from './stack.js';

export interface ChaosOptions {
  seed: number;
  minutes: number;
  jobs?: number;
  /** Path of the `temporal` program. */
  cli: string;
  log: (line: string) => void;
  signal: AbortSignal;
}

export interface ChaosResult {
  figures: Figures;
  findings: Finding[];
}

const WORKERS = 2;
/** A render of 90 s takes 3 s. */
const SPEED = 30;
const TIMINGS = { start_to_close: 20, heartbeat: 5 };
/** Seconds that jobs are given after the last blow. */
const PATIENCE = 240;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { log, signal, ...wanted } = options;
  // Every person of the run listens to it.
  setMaxListeners(0, signal);
  const plan = schedule({ ...wanted, workers: WORKERS });
  await using stack = await startChaosStack({
    workers: WORKERS,
    cli: options.cli,
    speed: SPEED,
    timings: TIMINGS,
    log,
  });
  log(
    `seed ${String(plan.seed)}: ${String(plan.jobs.length)} jobs and ${String(plan.blows.length)} blows within ${String(plan.seconds)} s, on ${stack.api_url}`,
  );
  const driver = new Driver(stack.api_url, signal);
  const start = Date.now();
  const until = (at: number): Promise<void> =>
    sleep(Math.max(0, at * 1000 - (Date.now() - start)), undefined, { signal });
  const played = Promise.all(
    plan.jobs.map(async (job) => {
      await until(job.at);
      await driver.play(job);
    }),
  );
  const struck = strikeAll(plan, stack, { until, log }).then(async (kills) => {
    await revive(stack);
    log(`peace after ${String(Math.round((Date.now() - start) / 1000))} s; waiting for every job`);
    return kills;
  });
  const [kills] = await Promise.all([struck, played]);
  const jobs = await endings(plan, stack, { log, signal });
  const booked = await books(stack);
  const findings = [...audit(booked.predictions, jobs), ...unexplainedEnds(stack)];
  return { figures: figuresOf({ plan, jobs, booked, kills, findings }), findings };
}

interface Stage {
  until: (at: number) => Promise<void>;
  log: (line: string) => void;
}

/** Carries out the blows; answers how many fell, by whom they hit. */
async function strikeAll(
  { blows }: Schedule,
  stack: ChaosStack,
  { until, log }: Stage,
): Promise<Record<string, number>> {
  const fallen: Record<string, number> = {};
  const all = blows.map(async (blow) => {
    await until(blow.at);
    if (!(await strike(stack, blow))) return;
    fallen[blow.whom] = (fallen[blow.whom] ?? 0) + 1;
    log(`${blow.at.toFixed(1)} s: ${wordsOf(blow)}`);
  });
  await Promise.all(all);
  return fallen;
}

const SIGNALS = { kill: 'SIGKILL', stop: 'SIGTERM', suspend: 'SIGSTOP' } as const;

async function strike(stack: ChaosStack, blow: Blow): Promise<boolean> {
  if (blow.whom === 'temporal') {
    const pid = stack.temporal.pid();
    if (pid === null) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  }
  const victim = blow.whom === 'api' ? stack.api : stack.workers[blow.which];
  return (await victim?.strike(SIGNALS[blow.kind], blow.down)) ?? false;
}

const wordsOf = (blow: Timed<Blow>): string =>
  blow.whom === 'temporal'
    ? 'Temporal killed'
    : `${blow.whom} ${String(blow.which)} ${SIGNALS[blow.kind]}, down for ${blow.down.toFixed(1)} s`;

const revive = (stack: ChaosStack): Promise<unknown> =>
  Promise.all([...stack.workers, stack.api].map((victim) => victim.revive()));

async function endings(
  { jobs }: Schedule,
  stack: ChaosStack,
  { log, signal }: Pick<ChaosOptions, 'log' | 'signal'>,
): Promise<Ended[]> {
  using patience = deadline(PATIENCE * 1000, signal);
  setMaxListeners(0, patience.signal);
  const driver = new Driver(stack.api_url, patience.signal);
  return await Promise.all(
    jobs.map(async (scheduled): Promise<Ended> => {
      const job = await driver.ending(scheduled.job_id).catch(() => null);
      signal.throwIfAborted();
      if (job === null)
        log(`${scheduled.job_id} is not over: ${await lastSeen(stack, scheduled.job_id)}`);
      const events = job === null ? [] : await driver.log(scheduled.job_id);
      return { scheduled, job, log: events, stored: await storedOf(stack, scheduled) };
    }),
  );
}

async function storedOf(
  { config }: ChaosStack,
  { job_id, troubles }: ScheduledJob,
): Promise<Map<number, string>> {
  const stored = new Map<number, string>();
  for (const index of troubles.keys()) {
    const file = artifactPath(config.data_dir, job_id, index, 'json');
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) stored.set(index, (JSON.parse(text) as StoredVideo).prediction_id);
  }
  return stored;
}

export interface Books {
  creates: number;
  bills: { count: number; usd: number };
  predictions: Booked[];
}

async function books({ simulator }: ChaosStack): Promise<Books> {
  const found = (await (await fetch(`${simulator.control_url}/stats`)).json()) as Books;
  if (found.predictions.length < found.creates) {
    throw new Error(
      `expected the books to list all ${String(found.creates)} predictions, got ${String(found.predictions.length)}; run fewer jobs`,
    );
  }
  return found;
}

const unexplainedEnds = ({ workers, api }: ChaosStack): Finding[] =>
  [...workers, api].flatMap(({ unexplained }) =>
    unexplained.map((says): Finding => ({ kind: 'wrong_end', says })),
  );
