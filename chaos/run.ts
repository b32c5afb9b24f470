/**
 * A chaos run: starts a stack, carries out the schedule on it, quiesces, and compares the ledgers. It writes only
 * through `log`, and always removes its stack.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatorStats } from '../src/simulator/stats.js';
import { PAID_TIMINGS } from '../src/contract/timings.js';
import { deadline } from '../src/adapters/network/deadline.js';
import type { AnsweredRequest } from './evidence.js';
import { audit } from './audit.js';
import { Driver } from './driver.js';
import type { Finding, JobEvidence } from './evidence.js';
import { figuresOf } from './figures.js';
import type { Figures } from './figures.js';
import { lastSeen } from './last-seen.js';
import { replayFindings, runsOf } from './replays.js';
import { schedule } from './schedule.js';
import type { ProcessFault, ScheduledJob, Timed } from './schedule.js';
import { startChaosStack } from './stack-under-test.js';
import type { ChaosStack } from './stack-under-test.js';
import { storedOf } from './stored-files.js';
import { terminate } from './terminate.js';
import { createDirectoryStore } from '../src/adapters/storage/directory-store.js';

interface ChaosOptions {
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

interface ChaosResult {
  figures: Figures;
  findings: Finding[];
}

const WORKERS = 2;
/** A render of 90 s takes 3 s. */
const SPEED = 30;
const TIMINGS = { ...PAID_TIMINGS, start_to_close: 20 };
/** A job of three clips does not fit one run. */
const HISTORY_LIMITS = { events: 60, bytes: 4 * 2 ** 20 };
/** Seconds that jobs get to end after the last fault. */
const QUIESCE_LIMIT = 240;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { log, signal, ...wanted } = options;
  // Every action of the run listens to it.
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
    `seed ${String(plan.seed)}: ${String(plan.jobs.length)} jobs and ${String(plan.process_faults.length)} faults of processes within ${String(plan.seconds)} s, on ${stack.api_url}`,
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
  const quiesced = injectAll(plan.process_faults, stack, { until, log }).then(async (injected) => {
    await ensureRunning(stack);
    log(
      `no more faults after ${String(Math.round((Date.now() - start) / 1000))} s; waiting for every job`,
    );
    return injected;
  });
  const [injected, all] = await Promise.all([quiesced, played]);
  const jobs = await evidenceOf(all, stack, { log, signal });
  const ledger = await providerLedger(stack, options.provider_clock * 1000);
  const replayed = await replayFindings(runsOf(stack.config));
  const findings = [
    ...audit(ledger.predictions, jobs),
    ...replayed.findings,
    ...unexplainedExits(stack),
  ];
  return {
    figures: figuresOf({ plan, jobs, ledger, injected, findings, runs: replayed.runs }),
    findings,
  };
}

interface Played {
  scheduled: ScheduledJob;
  answers: readonly AnsweredRequest[];
}

interface Clock {
  until: (at: number) => Promise<void>;
  log: (line: string) => void;
}

/** Injects the faults at their times; the ones whose target was up. */
async function injectAll(
  faults: readonly Timed<ProcessFault>[],
  stack: ChaosStack,
  { until, log }: Clock,
): Promise<ProcessFault[]> {
  const injected: ProcessFault[] = [];
  const all = faults.map(async (fault) => {
    await until(fault.at);
    if (!(await inject(stack, fault))) return;
    injected.push(fault);
    log(`${fault.at.toFixed(1)} s: ${wordsOf(fault)}`);
  });
  await Promise.all(all);
  return injected;
}

const SIGNALS = {
  kill: 'SIGKILL',
  stop: 'SIGTERM',
  starve: 'SIGTERM',
  suspend: 'SIGSTOP',
  jump: 'SIGUSR2',
} as const;

async function inject(stack: ChaosStack, fault: ProcessFault): Promise<boolean> {
  if (fault.target === 'temporal') {
    const pid = stack.temporal.pid();
    if (pid === null) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  }
  if (fault.kind === 'starve') {
    const signal = SIGNALS[fault.kind];
    const all = stack.workers.map((worker) => worker.inject(signal, fault.down));
    return (await Promise.all(all)).some((isInjected) => isInjected);
  }
  const target = fault.target === 'api' ? stack.api : stack.workers[fault.index];
  if (fault.kind === 'jump') return target?.signal(SIGNALS[fault.kind]) ?? false;
  return (await target?.inject(SIGNALS[fault.kind], fault.down)) ?? false;
}

function wordsOf(fault: Timed<ProcessFault>): string {
  if (fault.target === 'temporal') return 'Temporal killed';
  const target =
    fault.kind === 'starve' ? 'every worker' : `${fault.target} ${String(fault.index)}`;
  if (fault.kind === 'jump') return `${target} has its clock set`;
  return `${target} ${SIGNALS[fault.kind]}, down for ${fault.down.toFixed(1)} s`;
}

const ensureRunning = (stack: ChaosStack): Promise<unknown> =>
  Promise.all([...stack.workers, stack.api].map((target) => target.ensureRunning()));

async function evidenceOf(
  played: readonly Played[],
  stack: ChaosStack,
  { log, signal }: Pick<ChaosOptions, 'log' | 'signal'>,
): Promise<JobEvidence[]> {
  using limit = deadline(QUIESCE_LIMIT * 1000, signal);
  setMaxListeners(0, limit.signal);
  const driver = new Driver(stack.api_url, limit.signal);
  return await Promise.all(
    played.map(async ({ scheduled, answers }): Promise<JobEvidence> => {
      const { job_id, faults } = scheduled;
      const job = await driver.ended(job_id).catch(() => null);
      signal.throwIfAborted();
      if (job === null) log(`${job_id} has not ended: ${await lastSeen(stack, job_id)}`);
      const events = job === null ? [] : await driver.log(job_id);
      const stored = await storedOf(
        createDirectoryStore(stack.config.data_dir),
        job_id,
        faults.keys(),
      );
      return { scheduled, job, log: events, answers, stored };
    }),
  );
}

/** Its times by this machine's clock, as those of jobs and requests are. */
async function providerLedger({ simulator }: ChaosStack, ahead: number): Promise<SimulatorStats> {
  const found = (await (await fetch(`${simulator.control_url}/stats`)).json()) as SimulatorStats;
  if (found.predictions.length < found.creates) {
    throw new Error(
      `expected the ledger to list all ${String(found.creates)} predictions, got ${String(found.predictions.length)}; run fewer jobs`,
    );
  }
  const own = (time: string): string => new Date(Date.parse(time) - ahead).toISOString();
  const predictions = found.predictions.map((entry) => ({
    ...entry,
    created_at: own(entry.created_at),
    completed_at: entry.completed_at === null ? null : own(entry.completed_at),
  }));
  return { ...found, predictions };
}

const unexplainedExits = ({ workers, api }: ChaosStack): Finding[] =>
  [...workers, api].flatMap(({ unexplained }) =>
    unexplained.map((message): Finding => ({ kind: 'wrong_end', message })),
  );
