/**
 * The measurements, one a row. Each warms what it measures up with a clip, and gives figures by name; a row in which peers are
 * compared takes any stand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '../../src/domain/job/job.schema.js';
import { eventually } from '../../test/support/eventually.js';
import { testFolder } from '../../test/support/test-folder.js';
import { quantile } from '../support/figures.js';
import { toFirstClip } from '../support/start-up.js';
import type { Use } from './machine-use.js';
import { figuresOf, median, readsShare } from './order.js';
import type { Order } from './order.js';
import { readsOf } from './provider.js';
import { BEST, even, uneven } from './renders.js';
import { startOwnStand, submit } from './stand.js';
import type { OwnStand, Stand, StandOptions } from './stand.js';

export type Measured = Readonly<Record<string, number>>;

/** What is measured: a program that renders clips, this program alone, or a command of it that starts all by itself. */
type Measure =
  | { any: (stand: Stand) => Promise<Measured> }
  | { own: (stand: OwnStand) => Promise<Measured>; stand?: StandOptions }
  | { command: () => Promise<Measured> };

export interface Row {
  says: string;
  measure: Measure;
  /** It mostly waits: all who take part may be measured at the same time, and all repetitions. */
  idle?: true;
  /** One run is enough: it is about many of the same, or takes minutes. */
  once?: true;
}

/** Fresh, so that no row finds what another left. */
export async function measure({ measure }: Row, start: StartStand): Promise<Measured> {
  if ('command' in measure) return measure.command();
  if ('any' in measure) {
    await using stand = await start();
    return await measure.any(stand);
  }
  await using stand = await startOwnStand(measure.stand);
  return await measure.own(stand);
}

export type StartStand = () => Promise<Stand>;

const MIB = 2 ** 20;
const AT_ONCE = 5;

const window = (id: string, renders: readonly number[]): Order => ({
  id,
  renders,
  dispatch: 'window',
  at_once: AT_ONCE,
});

/** Loads and compiles what a first clip needs, at the provider too. */
async function warmUp(stand: Stand): Promise<void> {
  await stand.run(window('warm', even(1, 0.1)));
}

/** A job on a warm stand, and what it took. */
async function measureJob(stand: Stand, order: Order): Promise<Measured> {
  await warmUp(stand);
  const before = { use: total(stand.parts()), ledger: await stand.provider.ledger() };
  const heard = await stand.run(order);
  const parts = stand.parts();
  const ledger = await stand.provider.ledger();
  const { makespan, reported, stored, first_create, creates } = figuresOf(
    order,
    heard,
    ledger.predictions,
  );
  const clips = order.renders.length;
  const reads = readsOf(ledger) - readsOf(before.ledger);
  return {
    'time ÷ best possible': makespan,
    'render done → reported p50 ms': median(reported),
    'render done → reported p90 ms': quantile(reported, 0.9),
    'reported → stored p50 ms': median(stored),
    'posted → first create ms': first_create,
    'CPU s a clip': (total(parts).cpu - before.use.cpu) / clips,
    ...byPart(parts, ' MiB', ({ resident }) => resident / MIB),
    'resident MiB': total(parts).resident / MIB,
    'engine MiB': stand.engine().resident / MIB,
    'reads a clip': reads / clips,
    'reads ÷ polling each 500 ms': readsShare(reads, order),
    'predictions a clip': creates / clips,
    'most alive': ledger.peak_alive,
  };
}

/** A figure of each part, where there are several. */
function byPart(
  parts: Record<string, Use>,
  what: string,
  figure: (use: Use, name: string) => number,
): Measured {
  const pairs = Object.entries(parts);
  if (pairs.length < 2) return {};
  return Object.fromEntries(pairs.map(([name, use]) => [name + what, figure(use, name)]));
}

function total(parts: Record<string, Use>): Use {
  const uses = Object.values(parts);
  return {
    cpu: uses.reduce((sum, { cpu }) => sum + cpu, 0),
    resident: uses.reduce((sum, { resident }) => sum + resident, 0),
  };
}

const SHORT = [0.5, 3] as const;

export const ROWS: Readonly<Record<string, Row>> = {
  short: {
    says: 'window of 5, 50 clips of 1 s',
    measure: { any: (stand) => measureJob(stand, window('short', even(50, 1))) },
  },
  uneven: {
    says: 'window of 5, 50 clips of 0.5–3 s',
    measure: { any: (stand) => measureJob(stand, window('uneven', uneven(50, SHORT))) },
  },
  batches: {
    says: 'batches of 5, 50 clips of 0.5–3 s',
    measure: {
      own: (stand) =>
        measureJob(stand, { ...window('batches', uneven(50, SHORT)), dispatch: 'batches' }),
    },
  },
  long: {
    says: 'window of 5, 15 clips of 10–30 s',
    idle: true,
    measure: { any: (stand) => measureJob(stand, window('long', uneven(15, [10, 30]))) },
  },
  webhooks: {
    says: 'window of 5, 25 clips of 0.5–3 s, the provider reports what has ended',
    once: true,
    measure: {
      stand: { webhooks: true },
      own: async (stand) => {
        const measured = await measureJob(stand, window('hooked', uneven(25, SHORT)));
        return { ...measured, 'webhooks a clip': (await webhooksTaken(stand)) / 26 };
      },
    },
  },
  post: {
    says: 'jobs of one clip, one after another',
    once: true,
    measure: { any: measurePosts },
  },
  kill: {
    says: 'killed with 5 creates in flight of 15 clips of 2 s, started again after 1 s',
    measure: { any: measureKill },
  },
  rest: { says: '20 s at rest, after a job', once: true, measure: { any: measureRest } },
  generate: { says: '`npm run generate`, a second time', measure: { command: measureGenerate } },
  many: {
    says: 'window of 25, 1,000 clips of 0.1–0.4 s, 500 creates a minute; a job of one clip next to it',
    once: true,
    measure: { own: measureMany },
  },
  fair: {
    says: '200 jobs of 10 clips of 0.1–0.4 s at once, 500 creates a minute',
    once: true,
    measure: { own: measureFair },
  },
};

async function webhooksTaken({ url }: OwnStand): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^\S*webhooks_taken_total (\d+)$/m.exec(metrics)?.[1]);
}

async function measurePosts(stand: Stand): Promise<Measured> {
  await warmUp(stand);
  const delays: number[] = [];
  for (let count = 0; count < 11; count += 1) {
    const order = window(`post${String.fromCharCode(97 + count)}`, even(1, 0.1));
    const heard = await stand.run(order);
    const { predictions } = await stand.provider.ledger();
    delays.push(figuresOf(order, heard, predictions).first_create);
  }
  return {
    'posted → first create p50 ms': median(delays),
    'posted → first create p90 ms': quantile(delays, 0.9),
  };
}

async function measureKill(stand: Stand): Promise<Measured> {
  const order = window('killed', even(15, 2));
  await warmUp(stand);
  await stand.provider.answerLate(3, AT_ONCE);
  const following = stand.run(order);
  await eventually(
    'five creates in flight',
    async () => {
      const { alive } = await stand.provider.ledger();
      return { done: alive === AT_ONCE, value: alive };
    },
    { every: 10 },
  );
  const killed = Date.now();
  const { restarted } = await stand.strike(1);
  const [heard] = await Promise.all([
    stand.resumes ? following : restarted.then(() => stand.run(order)),
    restarted,
  ]);
  const ledger = await stand.provider.ledger();
  const { creates } = figuresOf(order, heard, ledger.predictions);
  const later = ledger.predictions
    .map(({ created_at }) => Date.parse(created_at))
    .filter((created) => created > killed);
  return {
    'killed → first new create s': (Math.min(...later) - killed) / 1000,
    'predictions for 15 clips': creates,
    'most alive': ledger.peak_alive,
    'killed → job over s': (heard.ended - killed) / 1000,
  };
}

async function measureRest(stand: Stand): Promise<Measured> {
  await stand.run(window('rest', even(10, 0.5)));
  await sleep(5_000);
  const before = stand.parts();
  const engine = stand.engine();
  await sleep(20_000);
  const after = stand.parts();
  return {
    ...byPart(
      after,
      ' % of a core',
      ({ cpu }, name) => ((cpu - (before[name]?.cpu ?? 0)) / 20) * 100,
    ),
    '% of a core': ((total(after).cpu - total(before).cpu) / 20) * 100,
    'engine % of a core': ((stand.engine().cpu - engine.cpu) / 20) * 100,
  };
}

async function measureGenerate(): Promise<Measured> {
  using folder = testFolder('start-up');
  await toFirstClip(folder.path);
  return { 'command → clip.submitted s': await toFirstClip(folder.path) };
}

const PER_MINUTE = 500;
/** Of the sizes of `many` and `fair`, to look at either in less time. */
const SHARE = Number(process.env['BENCH_SHARE'] ?? 1);

async function measureMany(stand: OwnStand): Promise<Measured> {
  const renders = uneven(Math.ceil(1_000 * SHARE), [0.1, 0.4]);
  const order: Order = { id: 'many', renders, dispatch: 'window', at_once: 25 };
  const small = window('small', even(1, 0.1));
  await warmUp(stand);
  const before = total(stand.parts());
  using peak = watchPeak(stand);
  const following = stand.run(order);
  await sleep(15_000);
  const heardSmall = await stand.run(small);
  const heard = await following;
  const { predictions } = await stand.provider.ledger();
  const allowed = Math.max((renders.length / PER_MINUTE) * 60, BEST.window(renders, 25));
  const { reported } = figuresOf(order, heard, predictions);
  return {
    'time ÷ what the rate allows': (heard.ended - heard.posted) / 1000 / allowed,
    'small job next to it: posted → first create ms': figuresOf(small, heardSmall, predictions)
      .first_create,
    'render done → reported p50 ms': median(reported),
    'render done → reported p90 ms': quantile(reported, 0.9),
    'CPU s a clip': (total(stand.parts()).cpu - before.cpu) / renders.length,
    'resident MiB at most': peak.resident / MIB,
  };
}

async function measureFair(stand: OwnStand): Promise<Measured> {
  const orders = Array.from({ length: Math.ceil(200 * SHARE) }, (_, index) =>
    window(`fair${String(index).padStart(3, '0')}`, uneven(10, [0.1, 0.4], index)),
  );
  const clips = orders.length * 10;
  await warmUp(stand);
  const before = total(stand.parts());
  using peak = watchPeak(stand);
  const posted = Date.now();
  const left = [...orders];
  const client = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await submit(stand.url, next);
    }
  };
  await Promise.all(Array.from({ length: 10 }, client));
  // Asked of the provider, so that nothing here is busy with answering.
  await eventually(
    'the last create',
    async () => {
      const { creates } = await stand.provider.ledger();
      return { done: creates > clips, value: creates };
    },
    { timeout: 900_000, every: 5_000 },
  );
  const seconds: number[] = [];
  for (const { id } of orders) {
    seconds.push((Date.parse(await endOf(stand.url, id)) - posted) / 1000);
  }
  const { predictions, creates } = await stand.provider.ledger();
  const times = predictions
    .filter(({ prompt }) => prompt.includes(' fair'))
    .map(({ created_at }) => Date.parse(created_at));
  const minutes = (Math.max(...times) - Math.min(...times)) / 60_000;
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  return {
    'last job ÷ mean': Math.max(...seconds) / mean,
    'mean job s': mean,
    'creates a minute': clips / minutes,
    'creates a clip': (creates - 1) / clips,
    'CPU s a clip': (total(stand.parts()).cpu - before.cpu) / clips,
    'resident MiB at most': peak.resident / MIB,
  };
}

const endOf = (url: string, id: string): Promise<string> =>
  eventually(
    `the end of ${id}`,
    async () => {
      const job = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as Job;
      return { done: job.completed_at !== null, value: job.completed_at ?? '' };
    },
    { every: 500 },
  );

/** The most that the program's parts held at a time, looked at each second. */
function watchPeak(stand: Stand): Disposable & { resident: number } {
  const timer = setInterval(() => {
    peak.resident = Math.max(peak.resident, total(stand.parts()).resident);
  }, 1_000);
  const peak = {
    resident: 0,
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
  return peak;
}
