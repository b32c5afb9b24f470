/**
 * Finds a prediction whose create was never answered: in the provider's list, by what it asks for, never one that
 * has another owner. "Nothing was created" is believed only after the list has been watched for a while.
 *
 * L1 The provider erases inputs after an hour. One erased prediction of the model that nobody has claimed may be the
 *    lost one, and is taken for it: better a clip that says that its video is gone than one that is paid twice.
 * L2 `since` is the Temporal server's time, the list is by the provider's: what counts is how long ago it was. A list is
 *    believed only when it reached far enough back by what was known of the clocks after its answer, for the first
 *    answer may be the first that tells the provider's time.
 * L3 What was read of the list before is looked at as it is, whoever has read it; but only what was asked for after the
 *    watch proves that there is nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listed } from '../adapters/replicate/prediction-index.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';
import type { PredictionStatus } from '../domain/job/job.schema.js';
import type { Deps } from './deps.js';
import type { Execution } from './execution.js';
import { unread } from './ledger-line.js';
import { likenessTo } from './input-match.js';
import type { Likeness } from './input-match.js';
import { serverClock } from './server-clock.js';

/**
 * Milliseconds of watching: longer than a create may take whose answer nobody waits for any more, and than the list
 * lags behind what was accepted.
 */
export const WATCH = 12_000;
const EVERY = 1_000;
/** Milliseconds by which the list reaches further back than the clocks, as measured, ask for. */
const MARGIN = 30_000;
/** The same while the provider has never said what time it is. */
const BLIND_MARGIN = 7_200_000;

export interface WantedPort {
  model: string;
  input: Record<string, unknown>;
  since: string;
  owner: string;
  exclude: ReadonlySet<string>;
}

type World = Pick<Deps, 'replicate' | 'index' | 'claims' | 'plan' | 'provider_origin'>;

/** The lost prediction, now claimed; null when there is none (or the execution was interrupted). */
export async function findLost(
  deps: World,
  execution: Execution,
  wanted: WantedPort,
): Promise<ProviderPrediction | null> {
  const { replicate, index } = deps;
  execution.beat({
    phase: 'reconciling',
    message: 'looking for a prediction that may exist already',
  });
  // L2: any answer tells the provider's time.
  if (replicate.clock.error === Infinity) await index.ask();
  const likeness = likenessTo(wanted, deps);
  const watched = performance.now() + WATCH;
  for (;;) {
    const progress = await index.advance(beginning(replicate, wanted.since));
    // Asked before the looking: others read on meanwhile.
    const isProof = index.proves(latestBeginning(replicate, wanted.since), watched);
    const listed = index.since(beginning(replicate, wanted.since));
    // What cannot be claimed from proves nothing either: go on until it can.
    const mine = await firstUnclaimed(deps, listed, likeness, wanted).catch(() => undefined);
    if (mine) return mine;
    if (mine === null && isProof) return null;
    const pause = pauseAfter(progress);
    // Canceled: what was created has to be found all the more, in order to be ended.
    if (execution.interruption === 'cancel') await sleep(pause);
    else if (execution.interruption !== null) return null;
    else if (pause > 0) await execution.wait(pause);
  }
}

function pauseAfter(progress: Awaited<ReturnType<Deps['index']['advance']>>): number {
  if (progress.type === 'read') return 0;
  const asked = progress.type === 'unreadable' ? (progress.retry_after ?? 0) * 1000 : 0;
  return Math.max(EVERY, asked);
}

type HasClock = Pick<Replicate, 'clock'>;

/** A time of the server's, by the provider's clock, in milliseconds. */
export const sinceAt = ({ clock }: HasClock, since: string): number =>
  clock.now() - (serverClock.now() - Date.parse(since));

/** From when on predictions are listed, by the provider's clock. */
const beginning = (replicate: HasClock, since: string): number =>
  sinceAt(replicate, since) - Math.min(BLIND_MARGIN, replicate.clock.error + MARGIN);

/** A list that begins later than this may lack the lost one. A provider that never says its time is believed as it is. */
const latestBeginning = (replicate: HasClock, since: string): number =>
  replicate.clock.error === Infinity
    ? Infinity
    : sinceAt(replicate, since) - Math.min(MARGIN / 2, replicate.clock.error);

/** What is rendered comes first, then what may be; an attempt that failed is adopted last. */
const WORTH: Record<PredictionStatus, number> = {
  succeeded: 0,
  processing: 1,
  starting: 2,
  failed: 3,
  canceled: 3,
  aborted: 3,
};
export const worth = ({
  status,
  data_removed,
}: Pick<ProviderPrediction, 'status' | 'data_removed'>): number =>
  data_removed ? WORTH.failed : WORTH[status];

/** So many of those that are equally close are looked at before one is chosen. */
const LOOKS = 10;

async function firstUnclaimed(
  { replicate, claims }: World,
  listed: readonly Listed[],
  likeness: Likeness,
  { owner, exclude, model }: WantedPort,
): Promise<ProviderPrediction | null> {
  const like = listed
    .filter(({ id }) => !exclude.has(id))
    .flatMap((item) => {
      const distance = likeness(item);
      return distance === null ? [] : [{ item, distance }];
    })
    .sort((a, b) => a.distance - b.distance || a.item.created_at - b.item.created_at);
  const free: typeof like = [];
  for (const one of like) {
    const its = await claims.owner(one.item.id);
    if (its === null || its === owner) free.push(one);
    if (free.length >= LOOKS) break;
  }
  const seen = await Promise.all(
    free.map(async ({ item, distance }) => {
      const answer = await replicate.get(item.id);
      const prediction =
        answer.type === 'found' ? answer.prediction : asListed(item, model, replicate);
      return { prediction, distance };
    }),
  );
  // Stable: of those that are equal, the oldest stays first.
  seen.sort((a, b) => a.distance - b.distance || worth(a.prediction) - worth(b.prediction));
  for (const { prediction } of seen) {
    if (await claims.claim(prediction.id, owner)) return prediction;
  }
  return null;
}

/** Of one that cannot be read by itself just now. */
const asListed = (
  { id, created_at }: Listed,
  model: string,
  replicate: HasClock,
): ProviderPrediction => ({
  ...unread(id, model, replicate),
  created_at: new Date(created_at).toISOString(),
});
