/**
 * The end of every chaos run: waits until each job is over, collects what jobs, provider, store and histories tell of it, and
 * compares them.
 */
import { setMaxListeners } from 'node:events';
import { deadline } from '../src/adapters/network/deadline.js';
import type { SimulatorStats } from '../src/simulator/stats.js';
import { audit } from './audit.js';
import { Driver } from './driver.js';
import type { AnsweredRequest, Finding, JobEvidence } from './evidence.js';
import { lastSeen } from './last-seen.js';
import { replayFindings, runsOf } from './replays.js';
import type { ScheduledJob } from './schedule.js';
import type { StackToAudit } from './stack-to-audit.js';
import { storedOf } from './stored-files.js';

/** A job that was submitted and steered. */
export interface Played {
  scheduled: ScheduledJob;
  answers: readonly AnsweredRequest[];
}

interface Options {
  log: (line: string) => void;
  signal: AbortSignal;
  /** Seconds by which the provider's clock is ahead of this machine's. */
  provider_clock: number;
  /** Seconds that jobs get to end. */
  quiesce_limit: number;
}

export interface AuditedRun {
  jobs: JobEvidence[];
  ledger: SimulatorStats;
  findings: Finding[];
  /** Of workflows. */
  runs: number;
}

export async function auditedRun(
  played: readonly Played[],
  stack: StackToAudit,
  options: Options,
): Promise<AuditedRun> {
  const jobs = await evidenceOf(played, stack, options);
  const ledger = await providerLedger(stack, options.provider_clock * 1000);
  const replayed = await replayFindings(runsOf(stack));
  const findings = [
    ...audit(ledger.predictions, jobs),
    ...replayed.findings,
    ...unexplainedExits(stack),
  ];
  return { jobs, ledger, findings, runs: replayed.runs };
}

async function evidenceOf(
  played: readonly Played[],
  stack: StackToAudit,
  { log, signal, quiesce_limit }: Omit<Options, 'provider_clock'>,
): Promise<JobEvidence[]> {
  using limit = deadline(quiesce_limit * 1000, signal);
  setMaxListeners(0, limit.signal);
  const driver = new Driver(stack.api_url, limit.signal, { key: stack.api_key });
  return await Promise.all(
    played.map(async ({ scheduled, answers }): Promise<JobEvidence> => {
      const { job_id, faults } = scheduled;
      const job = await driver.ended(job_id).catch(() => null);
      signal.throwIfAborted();
      if (job === null) log(`${job_id} has not ended: ${await lastSeen(stack, job_id)}`);
      const events = job === null ? [] : await driver.log(job_id);
      const stored = await storedOf(stack.store, job_id, faults.keys());
      return { scheduled, job, log: events, answers, stored };
    }),
  );
}

/** Its times by this machine's clock, as those of jobs and requests are. */
async function providerLedger({ simulator }: StackToAudit, ahead: number): Promise<SimulatorStats> {
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

const unexplainedExits = ({ processes }: StackToAudit): Finding[] =>
  processes.flatMap(({ unexplained }) =>
    unexplained.map((message): Finding => ({ kind: 'wrong_end', message })),
  );
