/**
 * A chaos run: starts a stack, carries out the schedule on it, quiesces, and compares the ledgers. It writes only
 * through `log`, and always removes its stack.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PAID_TIMINGS } from '../src/contract/timings.js';
import { Driver } from './driver.js';
import { auditedRun } from './audited-run.js';
import type { Played } from './audited-run.js';
import type { Finding } from './evidence.js';
import { figuresOf } from './figures.js';
import type { Figures } from './figures.js';
import { schedule } from './schedule.js';
import type { ProcessFault, Timed } from './schedule.js';
import { startChaosStack } from './stack-under-test.js';
import type { ChaosStack } from './stack-under-test.js';
import { terminate } from './terminate.js';

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
  const driver = new Driver(stack.api_url, signal, {
    terminate: (jobId) => terminate(address, jobId, signal),
  });
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
  const audited = await auditedRun(all, stack, {
    log,
    signal,
    provider_clock: options.provider_clock,
    quiesce_limit: QUIESCE_LIMIT,
  });
  return { figures: figuresOf({ plan, injected, ...audited }), findings: audited.findings };
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

const ensureRunning = ({ processes }: ChaosStack): Promise<unknown> =>
  Promise.all(processes.map((target) => target.ensureRunning()));
