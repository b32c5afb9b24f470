/**
 * Finds a prediction whose create was never answered: in the provider's list, by exact input, never one that
 * has another owner. "Nothing was created" is believed only after the list has been watched for a while.
 *
 * L1 The provider erases inputs after an hour. One erased prediction of the model that nobody has claimed may be the
 *    lost one, and is taken for it: better a clip that says that its video is gone than one that is paid twice.
 * L2 `since` is the Temporal server's time, the list is by the provider's: what counts is how long ago it was. A list is
 *    believed only when it reached far enough back by what was known of the clocks after its answer, for the first
 *    answer may be the first that tells the provider's time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderPrediction, Replicate } from '../adapters/replicate.js';
import type { Claims } from '../adapters/claims.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { PredictionStatus } from '../domain/job.js';
import type { Execution } from './execution.js';
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

interface Wanted {
  model: string;
  input: Record<string, unknown>;
  since: string;
  owner: string;
  exclude: ReadonlySet<string>;
}

/** The lost prediction, now claimed; null when there is none (or the execution was interrupted). */
export async function findLost(
  { replicate, claims }: { replicate: Replicate; claims: Claims },
  execution: Execution,
  wanted: Wanted,
): Promise<ProviderPrediction | null> {
  execution.beat({
    phase: 'reconciling',
    message: 'looking for a prediction that may exist already',
  });
  // L2: any answer tells the provider's time.
  if (replicate.clock.error === Infinity) await replicate.list(new Date(replicate.clock.now()));
  const started = performance.now();
  for (;;) {
    // What a list says is as old as the question: reading many pages takes its time.
    const asked = performance.now();
    const createdAfter = beginning(replicate, wanted.since);
    const answer = await replicate.list(new Date(createdAfter));
    let mine: ProviderPrediction | null | undefined;
    if (answer.type === 'listed') {
      mine = await firstUnclaimed(answer.predictions, claims, wanted).catch(() => undefined);
      if (mine) return mine;
    }
    // A list that cannot be read, or not be claimed from, or that began too late proves nothing: go on until it does.
    const isProof = mine === null && createdAfter <= latestBeginning(replicate, wanted.since);
    if (isProof && asked - started >= WATCH) return null;
    const pause = Math.max(EVERY, answer.type === 'listed' ? 0 : (answer.retry_after ?? 0) * 1000);
    // Canceled: what was created has to be found all the more, in order to be ended.
    if (execution.interruption === 'cancel') await sleep(pause);
    else if (execution.interruption !== null) return null;
    else await execution.wait(pause);
  }
}

type HasClock = Pick<Replicate, 'clock'>;

/** `since` by the provider's clock, in milliseconds. */
const sinceAt = ({ clock }: HasClock, since: string): number =>
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
const worth = ({ status, data_removed }: ProviderPrediction): number =>
  data_removed ? WORTH.failed : WORTH[status];

async function firstUnclaimed(
  listed: readonly ProviderPrediction[],
  claims: Claims,
  wanted: Wanted,
): Promise<ProviderPrediction | null> {
  const input = canonicalJson(wanted.input);
  const possible = listed.filter(({ id }) => !wanted.exclude.has(id));
  const matches = possible
    .filter(({ model }) => model === wanted.model || model === '')
    .filter((prediction) => canonicalJson(prediction.input) === input)
    .sort((a, b) => worth(a) - worth(b) || byAge(a, b));
  const erased = possible
    .filter(({ model, data_removed }) => data_removed && model === wanted.model)
    .filter((prediction) => Object.keys(prediction.input).length === 0)
    .sort(byAge);
  for (const match of [...matches, ...erased]) {
    if (await claims.claim(match.id, wanted.owner)) return match;
  }
  return null;
}

const byAge = (a: ProviderPrediction, b: ProviderPrediction): number =>
  Date.parse(a.created_at) - Date.parse(b.created_at);
