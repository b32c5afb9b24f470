/**
 * Finds the provider's predictions that no job owns. Pure but for `ownerOf`. A prediction that may still turn out to be that of a
 * running job is never called an orphan.
 *
 * ORPHANS-1 A running job owns the predictions it has claimed, those of its ledger, and those that one of its unfinished clips
 *    may be searching for right now. A prediction in no ledger that is a few seconds old may be that of a job that is not listed as
 *    running yet.
 * ORPHANS-2 An ended job owns the ended predictions of its ledger. One that still runs is an orphan: no clip waits for it.
 */
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import { estimateCost, priceFor, settle } from '../domain/pricing/cost.js';
import type { Job, Prediction } from '../domain/job/job.schema.js';
import type { Catalogue, ModelRow } from '../domain/models/row.js';
import { effective, pricedInputs } from '../domain/models/rules.js';
import { isClipOver } from '../domain/job/progress.js';

export interface KnownJobs {
  /** Running jobs that have answered. */
  running: readonly Job[];
  /** Ids of running jobs that have not answered: of their predictions only the claimed ones are known. */
  silent: readonly string[];
  /** Jobs whose record is on disk. */
  ended: readonly EndedJob[];
}

/** What is needed of an ended job: there may be very many. */
export type EndedJob = Pick<Job, 'job_id'> & {
  clips: readonly { predictions: readonly Pick<Prediction, 'id'>[] }[];
};

export interface Orphan {
  id: string;
  model: string;
  status: ProviderPrediction['status'];
  created_at: string;
  /** Seconds. */
  age: number;
  /** The cost of an ended one, the usual cost of a running one; null: unknown. */
  estimated_cost_usd: number | null;
  url: string;
  /** The job that left it, where that is known. */
  left_by: string | null;
}

interface SearchInput {
  jobs: KnownJobs;
  ownerOf: (predictionId: string) => Promise<string | null>;
  catalogue: Catalogue;
  /** By the provider's clock, as `created_at`; read before the jobs were. */
  now: number;
}

/** Resolves to the orphans among the predictions. May be called any number of times. */
export type OrphanSearch = (predictions: readonly ProviderPrediction[]) => Promise<Orphan[]>;

export function orphanSearch(input: SearchInput): OrphanSearch {
  const isOrphan = judge(input);
  return async (predictions) => {
    const owners = await Promise.all(predictions.map(({ id }) => input.ownerOf(id)));
    return predictions.flatMap((prediction, at) => {
      const verdict = isOrphan(prediction, owners[at] ?? null);
      return verdict === null ? [] : [orphan(prediction, verdict.left_by, input)];
    });
  };
}

/** Running ones first, each kind newest first. */
export function inOrder(orphans: Iterable<Orphan>): Orphan[] {
  const alive = ({ status }: Orphan): number => (isTerminal(status) ? 1 : 0);
  return [...orphans].sort((a, b) => alive(a) - alive(b) || a.age - b.age);
}

/** Seconds after which a job that was started is listed as running. */
const LISTING_DELAY = 10;

type Judge = (
  prediction: ProviderPrediction,
  owner: string | null,
) => Pick<Orphan, 'left_by'> | null;

function judge({ jobs: { running, silent, ended }, catalogue, now }: SearchInput): Judge {
  const runningIds = new Set([...silent, ...running.map(({ job_id }) => job_id)]);
  const endedIds = new Set(ended.map(({ job_id }) => job_id));
  const owners = new Map<string, string>();
  for (const job of [...ended, ...running]) {
    for (const { id } of job.clips.flatMap(({ predictions }) => predictions)) {
      owners.set(id, job.job_id);
    }
  }
  const wanted = running.flatMap(({ model, clips }) => {
    const isTold = catalogue.get(model)?.prompt !== null;
    const unfinished = clips.filter(({ status }) => !isClipOver(status));
    return unfinished.map(({ prompt }) => ({
      model,
      beginning: isTold ? beginningOf(prompt) : null,
    }));
  });
  return (prediction, owner) => {
    const isAlive = !isTerminal(prediction.status);
    const inLedgerOf = owners.get(prediction.id);
    const jobId = inLedgerOf ?? owner?.slice(0, owner.lastIndexOf('/')) ?? null;
    if (jobId !== null && runningIds.has(jobId)) return null; // ORPHANS-1
    if (inLedgerOf !== undefined) return isAlive ? { left_by: inLedgerOf } : null; // ORPHANS-2
    if (now - Date.parse(prediction.created_at) < LISTING_DELAY * 1000) return null; // ORPHANS-1
    if (jobId !== null) return isAlive || endedIds.has(jobId) ? { left_by: jobId } : null;
    return mayBeWanted(prediction, wanted) ? null : { left_by: null }; // ORPHANS-1
  };
}

/** What an unfinished clip may be searching for: predictions with its prompt, or all of its model where that takes no prompt. */
interface Wanted {
  model: string;
  beginning: string | null;
}

/** Jobs have long prompts shortened, so that only their beginnings are compared. */
const beginningOf = (prompt: string): string => prompt.replace(/…$/, '');

function mayBeWanted({ model, input }: ProviderPrediction, wanted: readonly Wanted[]): boolean {
  const texts = Object.values(input).filter((value) => typeof value === 'string');
  return wanted.some(({ model: itsModel, beginning }) =>
    beginning === null ? itsModel === model : texts.some((text) => text.startsWith(beginning)),
  );
}

const orphan = (
  prediction: ProviderPrediction,
  leftBy: string | null,
  { catalogue, now }: SearchInput,
): Orphan => ({
  id: prediction.id,
  model: prediction.model,
  status: prediction.status,
  created_at: prediction.created_at,
  age: Math.max(0, Math.round((now - Date.parse(prediction.created_at)) / 1000)),
  estimated_cost_usd: costOf(prediction, catalogue.get(prediction.model)),
  url: prediction.web_url,
  left_by: leftBy,
});

/** The cost of an ended one, the usual cost of a running one; null where that would be a guess. */
function costOf(
  { status, input, predict_time, data_removed }: ProviderPrediction,
  row: ModelRow | undefined,
): number | null {
  if (status === 'aborted') return 0;
  if (row === undefined) return null;
  const { duration, bills_failed } = row;
  const asked = duration.input === null ? null : effective(row, input, duration.input);
  const isByInput = pricedInputs(row).length > 0;
  // Without the input, neither its price nor its seconds are known.
  const price = data_removed && isByInput ? null : priceFor(row, input);
  const isLengthKnown = typeof asked === 'number' && duration.unit === 'seconds' && !data_removed;
  const unknownLength = price?.per === 'second' && !isLengthKnown;
  const terms = {
    price: unknownLength ? null : price,
    requested_duration: Number(asked),
    bills_failed,
  };
  return isTerminal(status)
    ? settle(terms, { status, predict_time }).cost_usd
    : estimateCost(terms.price, terms.requested_duration, row.usual_time);
}
