/**
 * Finds a prediction whose create was never answered: in the provider's list, by exact input, never one that
 * has another owner. "Nothing was created" is believed only after the list has been watched for a while.
 *
 * L1 The provider erases inputs after an hour. One erased prediction of the model that nobody has claimed may be the
 *    lost one, and is taken for it: better a clip that says that its video is gone than one that is paid twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderPrediction, Replicate } from '../adapters/replicate.js';
import type { Claims } from '../adapters/claims.js';
import { canonicalJson } from '../domain/canonical-json.js';
import type { PredictionStatus } from '../domain/job.js';
import type { Execution } from './execution.js';

/**
 * Milliseconds of watching: longer than a create may take whose answer nobody waits for any more, and than the list
 * lags behind what was accepted.
 */
export const WATCH = 12_000;
const EVERY = 1_000;
/** The provider's clock and ours may differ. */
const CLOCK_SKEW = 120_000;

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
  const createdAfter = new Date(Date.parse(wanted.since) - CLOCK_SKEW);
  execution.beat({
    phase: 'reconciling',
    message: 'looking for a prediction that may exist already',
  });
  const started = Date.now();
  for (let readable = false; ;) {
    // What a list says is as old as the question: reading many pages takes its time.
    const asked = Date.now();
    const answer = await replicate.list(createdAfter);
    if (answer.type === 'listed') {
      const mine = await firstUnclaimed(answer.predictions, claims, wanted).catch(() => undefined);
      if (mine) return mine;
      readable = mine === null;
    } else {
      readable = false;
    }
    // A list that cannot be read, or not be claimed from, proves nothing: go on until it can.
    if (readable && asked - started >= WATCH) return null;
    // Canceled: what was created has to be found all the more, in order to be ended.
    if (execution.interruption === 'cancel') await sleep(EVERY);
    else if (execution.interruption !== null) return null;
    else await execution.wait(EVERY);
  }
}

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
