/**
 * Finds a prediction whose create was never answered: in the provider's list, by what it asks for, and never one that has
 * another owner. "Nothing was created" is believed only after the list has been watched for a while.
 *
 * SEARCH-1 The provider erases inputs after an hour. An erased, unclaimed prediction of the model may be the lost one, and
 *    is taken for it: better a clip that says that its video is gone than one that is paid twice.
 * SEARCH-2 `since` is by the Temporal server's clock, the list by the provider's: what counts is how long ago it was. The
 *    first answer may also be the first that tells the provider's time. So whether a list reaches back far enough is
 *    decided by what is known of the clocks after its answer.
 * SEARCH-3 A match in any page that a search has read is accepted. That there is none is proved only by a read that was begun
 *    after the watch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listed } from '../adapters/replicate/prediction-index.js';
import type { ProviderPrediction, Replicate } from '../adapters/replicate/replicate-client.js';
import type { PredictionStatus } from '../domain/job/job.schema.js';
import type { Deps } from './deps.js';
import type { Execution } from './execution.js';
import { unread } from './ledger-line.js';
import { inputMatcher } from './input-match.js';
import type { DistanceTo } from './input-match.js';
import { serverClock } from './server-clock.js';
import { pauseAfter, WAITS } from './waits.js';

/** Milliseconds by which the list reaches further back than the clocks, as measured, ask for. */
const MARGIN = 30_000;
/** The same while the provider has never told its time. */
const BLIND_MARGIN = 7_200_000;

interface Wanted {
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
  wanted: Wanted,
): Promise<ProviderPrediction | null> {
  const { replicate, index } = deps;
  execution.beat({
    phase: 'reconciling',
    message: 'looking for a prediction that may exist already',
  });
  // SEARCH-2: any answer tells the provider's time.
  if (replicate.clock.error === Infinity) await index.ask();
  const distanceTo = inputMatcher(wanted, deps);
  const watched = performance.now() + WAITS.search.watch;
  for (;;) {
    const progress = await index.advance(beginning(replicate, wanted.since));
    // Asked before the list is looked at: other searches read on meanwhile.
    const isProof = index.proves(latestBeginning(replicate, wanted.since), watched);
    const listed = index.since(beginning(replicate, wanted.since));
    // A list from which nothing can be claimed proves nothing either: the search continues.
    const mine = await firstUnclaimed(deps, listed, distanceTo, wanted).catch(() => undefined);
    if (mine) return mine;
    if (mine === null && isProof) return null;
    const pause = progress.type === 'read' ? 0 : pauseAfter(progress, WAITS.search.pause);
    // Canceled: what was created has to be found all the more, in order to be ended.
    if (execution.interruption === 'cancel') await sleep(pause);
    else if (execution.interruption !== null) return null;
    else if (pause > 0) await execution.wait(pause);
  }
}

type HasClock = Pick<Replicate, 'clock'>;

/** A time of the Temporal server, by the provider's clock, in milliseconds. */
export const providerTimeOf = ({ clock }: HasClock, time: string): number =>
  clock.now() - (serverClock.now() - Date.parse(time));

/** Milliseconds by which a look at the list has to reach further because of the clocks, and `least` more. */
export const clockMargin = ({ clock }: HasClock, least: number): number =>
  Math.min(BLIND_MARGIN, clock.error + least);

/** From when on predictions are listed, by the provider's clock. */
const beginning = (replicate: HasClock, since: string): number =>
  providerTimeOf(replicate, since) - clockMargin(replicate, MARGIN);

/** A list that begins later may lack the lost prediction. A provider that never tells its time is believed as it is. */
const latestBeginning = (replicate: HasClock, since: string): number =>
  replicate.clock.error === Infinity
    ? Infinity
    : providerTimeOf(replicate, since) - Math.min(MARGIN / 2, replicate.clock.error);

/** What is rendered comes first, then what may be; a prediction that failed is adopted last. */
const RANKS: Record<PredictionStatus, number> = {
  succeeded: 0,
  processing: 1,
  starting: 2,
  failed: 3,
  canceled: 3,
  aborted: 3,
};
/** Lower is better. */
export const rankOf = ({
  status,
  data_removed,
}: Pick<ProviderPrediction, 'status' | 'data_removed'>): number =>
  data_removed ? RANKS.failed : RANKS[status];

/** How many of the closest matches are read before one is chosen. */
const MAX_READ = 10;

async function firstUnclaimed(
  { replicate, claims }: World,
  listed: readonly Listed[],
  distanceTo: DistanceTo,
  { owner, exclude, model }: Wanted,
): Promise<ProviderPrediction | null> {
  const matches = listed
    .filter(({ id }) => !exclude.has(id))
    .flatMap((item) => {
      const distance = distanceTo(item);
      return distance === null ? [] : [{ item, distance }];
    })
    .sort((a, b) => a.distance - b.distance || a.item.created_at - b.item.created_at);
  const free: typeof matches = [];
  for (const match of matches) {
    const claimed = await claims.owner(match.item.id);
    if (claimed === null || claimed === owner) free.push(match);
    if (free.length >= MAX_READ) break;
  }
  const candidates = await Promise.all(
    free.map(async ({ item, distance }) => {
      const answer = await replicate.get(item.id);
      const prediction =
        answer.type === 'found' ? answer.prediction : asListed(item, model, replicate);
      return { prediction, distance };
    }),
  );
  // Stable: of equal ones, the oldest stays first.
  candidates.sort((a, b) => a.distance - b.distance || rankOf(a.prediction) - rankOf(b.prediction));
  for (const { prediction } of candidates) {
    if (await claims.claim(prediction.id, owner)) return prediction;
  }
  return null;
}

/** A prediction that cannot be read by itself at the moment. */
const asListed = (
  { id, created_at }: Listed,
  model: string,
  replicate: HasClock,
): ProviderPrediction => ({
  ...unread(id, model, replicate),
  created_at: new Date(created_at).toISOString(),
});
