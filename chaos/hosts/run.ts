/**
 * A chaos run over hosts: jobs are posted at one API and watched at the other while hosts are killed, wires cut, clocks set wrong,
 * and Temporal, its database and the bucket restarted; then the ledgers are compared. It always removes what it made.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PAID_TIMINGS } from '../../src/contract/timings.js';
import { deadline } from '../../src/adapters/network/deadline.js';
import { auditedRun } from '../audited-run.js';
import type { Played } from '../audited-run.js';
import { Driver } from '../driver.js';
import { finding } from '../evidence.js';
import type { Finding } from '../evidence.js';
import type { ScheduledJob, Timed } from '../schedule.js';
import { terminate } from '../terminate.js';
import { hostFiguresOf } from './host-figures.js';
import type { HostFigures } from './host-figures.js';
import { hostSchedule } from './host-schedule.js';
import type { HostFault } from './host-schedule.js';
import { startHosts } from './hosts-under-test.js';
import type { HostsUnderTest } from './hosts-under-test.js';
import { HOSTS } from './network.js';
import type { HostName } from './network.js';
import { follow, streamFindings } from './streams.js';
import type { Stream } from './streams.js';

interface HostsOptions {
  seed: number;
  minutes: number;
  jobs?: number;
  /** Path of the `temporal` program. */
  cli: string;
  log: (line: string) => void;
  signal: AbortSignal;
}

interface HostsResult {
  figures: HostFigures;
  findings: Finding[];
}

const SPEED = 30;
const TIMINGS = { ...PAID_TIMINGS, start_to_close: 20 };
/** A job of three clips does not fit one run. */
const HISTORY_LIMITS = { events: 60, bytes: 4 * 2 ** 20 };
/** Seconds that jobs get to end after the last fault. */
const QUIESCE_LIMIT = 240;

export async function runHosts(options: HostsOptions): Promise<HostsResult> {
  const { log, signal, cli, ...wanted } = options;
  setMaxListeners(0, signal);
  const plan = hostSchedule(wanted);
  await using stack = await startHosts({
    cli,
    speed: SPEED,
    worker: { timings: TIMINGS, history_limits: HISTORY_LIMITS },
    log,
  });
  log(
    `seed ${String(plan.seed)}: ${String(plan.jobs.length)} jobs and ${String(plan.faults.length)} faults within ${String(plan.seconds)} s, on ${HOSTS.map((name) => stack.hosts[name].api_url).join(' and ')}`,
  );
  const start = Date.now();
  const until = (at: number): Promise<void> =>
    sleep(Math.max(0, at * 1000 - (Date.now() - start)), undefined, { signal });
  using limit = deadline((plan.seconds + QUIESCE_LIMIT) * 1000, signal);
  setMaxListeners(0, limit.signal);
  const streams = new Map<string, Promise<Stream>>();
  const unanswered: Finding[] = [];
  const played = Promise.all(
    plan.jobs.map(async (scheduled, index): Promise<Played> => {
      await until(scheduled.at);
      const [posted, watched] = index % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
      streams.set(
        scheduled.job_id,
        follow({ ...stack, api_url: stack.hosts[watched].api_url }, scheduled.job_id, limit.signal),
      );
      const answers = await play(stack, posted, scheduled, limit.signal).catch((error: unknown) => {
        if (!limit.signal.aborted || signal.aborted) throw error;
        unanswered.push(
          finding('hung', `a request of ${scheduled.job_id} was not answered at host ${posted}`),
        );
        return [];
      });
      return { scheduled, answers };
    }),
  );
  const quiesced = injectAll(plan.faults, stack, { until, log }).then(async (injected) => {
    const { processes, services } = stack;
    const all = [...Object.values(services.processes), ...processes];
    await Promise.all(all.map((target) => target.ensureRunning()));
    const seconds = Math.round((Date.now() - start) / 1000);
    log(`no more faults after ${String(seconds)} s; waiting for every job`);
    return injected;
  });
  const [injected, all] = await Promise.all([quiesced, played]);
  const audited = await auditedRun(all, stack, {
    log,
    signal,
    provider_clock: 0,
    quiesce_limit: QUIESCE_LIMIT,
  });
  const watched = await Promise.all(
    audited.jobs.map(async (evidence) => {
      const stream = await (streams.get(evidence.scheduled.job_id) ?? noStream);
      return { stream, findings: evidence.job === null ? [] : streamFindings(evidence, stream) };
    }),
  );
  const findings = [
    ...unanswered,
    ...audited.findings,
    ...watched.flatMap((each) => each.findings),
  ];
  const events = watched.reduce((sum, { stream }) => sum + stream.events.length, 0);
  return { figures: hostFiguresOf({ plan, ...audited, injected, findings, events }), findings };
}

const noStream: Promise<Stream> = Promise.resolve({ events: [], refused: 'there was none' });

function play(
  stack: HostsUnderTest,
  at: HostName,
  scheduled: ScheduledJob,
  signal: AbortSignal,
): ReturnType<Driver['play']> {
  const driver = new Driver(stack.hosts[at].api_url, signal, {
    key: stack.api_key,
    terminate: (jobId) => terminate(stack.services.temporal_address, jobId, signal),
  });
  return driver.play(scheduled);
}

interface Clock {
  until: (at: number) => Promise<void>;
  log: (line: string) => void;
}

/** Injects the faults at their times; the ones whose target was up. */
async function injectAll(
  faults: readonly Timed<HostFault>[],
  stack: HostsUnderTest,
  { until, log }: Clock,
): Promise<HostFault[]> {
  const injected: HostFault[] = [];
  const isCut = new Set<string>();
  const all = faults.map(async (fault) => {
    await until(fault.at);
    const tell = (): void => {
      injected.push(fault);
      log(`${fault.at.toFixed(1)} s: ${wordsOf(fault)}`);
    };
    await inject(stack, fault, { isCut, tell });
  });
  await Promise.all(all);
  return injected;
}

/** `tell` is called when it has begun; resolves when it is over. */
async function inject(
  { hosts, services, network }: HostsUnderTest,
  fault: HostFault,
  { isCut, tell }: { isCut: Set<string>; tell: () => void },
): Promise<void> {
  switch (fault.kind) {
    case 'crash':
    case 'restart': {
      // PostgreSQL's own word for ending at once, without a checkpoint, is SIGQUIT.
      const crash = fault.service === 'database' ? 'SIGQUIT' : 'SIGKILL';
      const target = services.processes[fault.service];
      if (target.isUp) tell();
      await target.inject(fault.kind === 'crash' ? crash : 'SIGTERM', fault.down);
      return;
    }
    case 'kill':
    case 'stop': {
      const { worker, api } = hosts[fault.host];
      if (worker.isUp || api.isUp) tell();
      const signal = fault.kind === 'kill' ? 'SIGKILL' : 'SIGTERM';
      await Promise.all([worker, api].map((target) => target.inject(signal, fault.down)));
      return;
    }
    case 'jump': {
      const { worker, api } = hosts[fault.host];
      if ([worker, api].map((target) => target.signal('SIGUSR2')).includes(true)) tell();
      return;
    }
    case 'cut': {
      const peers = fault.peers.filter((peer) => !isCut.has(`${fault.host} ${peer}`));
      if (peers.length === 0) return;
      for (const peer of peers) isCut.add(`${fault.host} ${peer}`);
      await Promise.all(peers.map((peer) => network.cut(fault.host, peer)));
      tell();
      await sleep(fault.down * 1000);
      await Promise.all(peers.map((peer) => network.mend(fault.host, peer)));
      for (const peer of peers) isCut.delete(`${fault.host} ${peer}`);
    }
  }
}

function wordsOf(fault: HostFault): string {
  const time = 'down' in fault ? ` for ${fault.down.toFixed(1)} s` : '';
  switch (fault.kind) {
    case 'crash':
    case 'restart':
      return `${fault.service}: ${fault.kind}, down${time}`;
    case 'kill':
    case 'stop':
      return `host ${fault.host}: ${fault.kind}, down${time}`;
    case 'jump':
      return `host ${fault.host} has its clock set`;
    case 'cut':
      return `host ${fault.host} is cut off from ${fault.peers.join(', ')}${time}`;
  }
}
