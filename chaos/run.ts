/**
 * A chaos run: a stack of its own, the schedule carried out on it, then peace, and the books compared. It prints
 * what it does only through `log`, and always takes its stack down.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../src/adapters/network/deadline.js';
import { PAID_TIMINGS } from '../src/contract/timings.js';
import type { Answered } from './answers.js';
import { audit } from './audit.js';
import { Driver } from './driver.js';
import type { Booked, Ended, Finding } from './evidence.js';
import { figuresOf } from './figures.js';
import type { Figures } from './figures.js';
import { lastSeen } from './last-seen.js';
import { replayFindings, runsOf } from './replays.js';
import { schedule } from './schedule.js';
import type { Blow, ScheduledJob, Timed } from './schedule.js';
import { startChaosStack } from './stack-under-test.js';
import type { ChaosStack } from './stack-under-test.js';
import { storedOf } from './stored-files.js';
import { terminate } from './terminate.js';

export interface ChaosOptions {
  seed: number;
  minutes: number;
  jobs?: number;
  /** Seconds by which the provider's clock is ahead of this machine's; below zero, behind. */
  provider_clock: number;
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
const TIMINGS = { ...PAID_TIMINGS, start_to_close: 20 };
/** A job of three clips does not fit one run. */
const HISTORY_LIMITS = { events: 60, bytes: 4 * 2 ** 20 };
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
    worker: { timings: TIMINGS, history_limits: HISTORY_LIMITS },
    clock_offset_ms: options.provider_clock * 1000,
    log,
  });
  log(
    `seed ${String(plan.seed)}: ${String(plan.jobs.length)} jobs and ${String(plan.blows.length)} blows within ${String(plan.seconds)} s, on ${stack.api_url}`,
  );
  const { address } = stack.config.temporal;
  const driver = new Driver(stack.api_url, signal, (jobId) => terminate(address, jobId, signal));
  const start = Date.now();
  const until = (at: number): Promise<void> =>
    sleep(Math.max(0, at * 1000 - (Date.now() - start)), undefined, { signal });
  const played = Promise.all(
    plan.jobs.map(async (scheduled): Promise<Played> => {
      await until(scheduled.at);
      return { scheduled, answers: await driver.play(scheduled) };
    }),
  );
  const struck = strikeAll(plan.blows, stack, { until, log }).then(async (fallen) => {
    await revive(stack);
    log(`peace after ${String(Math.round((Date.now() - start) / 1000))} s; waiting for every job`);
    return fallen;
  });
  const [fallen, all] = await Promise.all([struck, played]);
  const jobs = await endings(all, stack, { log, signal });
  const booked = await books(stack, options.provider_clock * 1000);
  const replayed = await replayFindings(runsOf(stack.config));
  const findings = [
    ...audit(booked.predictions, jobs),
    ...replayed.findings,
    ...unexplainedEnds(stack),
  ];
  return {
    figures: figuresOf({ plan, jobs, booked, fallen, findings, runs: replayed.runs }),
    findings,
  };
}

interface Played {
  scheduled: ScheduledJob;
  answers: readonly Answered[];
}

interface Stage {
  until: (at: number) => Promise<void>;
  log: (line: string) => void;
}

/** Carries out the blows; answers those that fell. */
async function strikeAll(
  blows: readonly Timed<Blow>[],
  stack: ChaosStack,
  { until, log }: Stage,
): Promise<Blow[]> {
  const fallen: Blow[] = [];
  const all = blows.map(async (blow) => {
    await until(blow.at);
    if (!(await strike(stack, blow))) return;
    fallen.push(blow);
    log(`${blow.at.toFixed(1)} s: ${wordsOf(blow)}`);
  });
  await Promise.all(all);
  return fallen;
}

const SIGNALS = {
  kill: 'SIGKILL',
  stop: 'SIGTERM',
  starve: 'SIGTERM',
  suspend: 'SIGSTOP',
  jump: 'SIGUSR2',
} as const;

async function strike(stack: ChaosStack, blow: Blow): Promise<boolean> {
  if (blow.whom === 'temporal') {
    const pid = stack.temporal.pid();
    if (pid === null) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  }
  if (blow.kind === 'starve') {
    const signal = SIGNALS[blow.kind];
    const struck = stack.workers.map((worker) => worker.strike(signal, blow.down));
    return (await Promise.all(struck)).some((fell) => fell);
  }
  const victim = blow.whom === 'api' ? stack.api : stack.workers[blow.which];
  if (blow.kind === 'jump') return victim?.tell(SIGNALS[blow.kind]) ?? false;
  return (await victim?.strike(SIGNALS[blow.kind], blow.down)) ?? false;
}

function wordsOf(blow: Timed<Blow>): string {
  if (blow.whom === 'temporal') return 'Temporal killed';
  const whom = blow.kind === 'starve' ? 'every worker' : `${blow.whom} ${String(blow.which)}`;
  if (blow.kind === 'jump') return `${whom} has another time`;
  return `${whom} ${SIGNALS[blow.kind]}, down for ${blow.down.toFixed(1)} s`;
}

const revive = (stack: ChaosStack): Promise<unknown> =>
  Promise.all([...stack.workers, stack.api].map((victim) => victim.revive()));

async function endings(
  played: readonly Played[],
  stack: ChaosStack,
  { log, signal }: Pick<ChaosOptions, 'log' | 'signal'>,
): Promise<Ended[]> {
  using patience = deadline(PATIENCE * 1000, signal);
  setMaxListeners(0, patience.signal);
  const driver = new Driver(stack.api_url, patience.signal);
  return await Promise.all(
    played.map(async ({ scheduled, answers }): Promise<Ended> => {
      const { job_id, troubles } = scheduled;
      const job = await driver.ending(job_id).catch(() => null);
      signal.throwIfAborted();
      if (job === null) log(`${job_id} is not over: ${await lastSeen(stack, job_id)}`);
      const events = job === null ? [] : await driver.log(job_id);
      const stored = await storedOf(stack.config.data_dir, job_id, troubles.keys());
      return { scheduled, job, log: events, answers, stored };
    }),
  );
}

export interface Books {
  creates: number;
  bills: { count: number; usd: number };
  /** How often each fault has struck, by name. */
  struck: Record<string, number>;
  predictions: Booked[];
}

/** Its times by this machine's clock, as those of jobs and people are. */
async function books({ simulator }: ChaosStack, ahead: number): Promise<Books> {
  const found = (await (await fetch(`${simulator.control_url}/stats`)).json()) as Books;
  if (found.predictions.length < found.creates) {
    throw new Error(
      `expected the books to list all ${String(found.creates)} predictions, got ${String(found.predictions.length)}; run fewer jobs`,
    );
  }
  const own = (time: string): string => new Date(Date.parse(time) - ahead).toISOString();
  const predictions = found.predictions.map((booked) => ({
    ...booked,
    created_at: own(booked.created_at),
    completed_at: booked.completed_at === null ? null : own(booked.completed_at),
  }));
  return { ...found, predictions };
}

const unexplainedEnds = ({ workers, api }: ChaosStack): Finding[] =>
  [...workers, api].flatMap(({ unexplained }) =>
    unexplained.map((says): Finding => ({ kind: 'wrong_end', says })),
  );
