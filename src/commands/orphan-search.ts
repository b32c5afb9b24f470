/**
 * Which of the provider's predictions no job owns. Pure but for what it is given to ask. Careful in one
 * direction: whatever may still turn out to be a running job's is not called an orphan.
 *
 * O1 a job that goes on owns what it has claimed, what its ledger has, and what one of its unfinished clips may
 *    be looking for just now.
 *    What no ledger has yet and is very young may be a job's that is not listed as running yet.
 * O2 a job that is over owns what its ledger has, but nothing that still runs: nobody waits for it any more.
 */
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import { estimateCost, priceFor, settle } from '../domain/pricing/cost.js';
import type { Job, Prediction } from '../domain/job/job.schema.js';
import type { Catalogue, ModelRow } from '../domain/models/row.js';
import { effective, pricedInputs } from '../domain/models/rules.js';
import { isClipOver } from '../domain/job/progress.js';

/** Everything that is known of jobs. */
export interface KnownJobs {
  /** Those that go on and have answered. */
  running: readonly Job[];
  /** Ids of those that go on and have not: nothing can be told about what they have not claimed. */
  silent: readonly string[];
  /** Those whose record is on disk. */
  ended: readonly EndedJob[];
}

/** As much of a job as is needed of one that is over: there may be very many. */
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
  /** What it cost where that is known, what it usually costs while it runs; null where neither can be told. */
  estimated_cost_usd: number | null;
  url: string;
  /** The job that left it, where that is known. */
  left_by: string | null;
}

export interface SearchInput {
  jobs: KnownJobs;
  ownerOf: (predictionId: string) => Promise<string | null>;
  catalogue: Catalogue;
  /** By the provider's clock, as `created_at` is; before anybody asked for the jobs. */
  now: number;
}

/** Of some predictions, in any number of calls: those that are orphans. */
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

/** Alive ones first, each kind newest first. */
export function inOrder(orphans: Iterable<Orphan>): Orphan[] {
  const alive = ({ status }: Orphan): number => (isTerminal(status) ? 1 : 0);
  return [...orphans].sort((a, b) => alive(a) - alive(b) || a.age - b.age);
}

/** Seconds within which a job that was just started becomes known. */
const YOUNG = 10;

type Judge = (
  prediction: ProviderPrediction,
  owner: string | null,
) => Pick<Orphan, 'left_by'> | null;

function judge({ jobs: { running, silent, ended }, catalogue, now }: SearchInput): Judge {
  const goesOn = new Set([...silent, ...running.map(({ job_id }) => job_id)]);
  const over = new Set(ended.map(({ job_id }) => job_id));
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
    if (jobId !== null && goesOn.has(jobId)) return null; // O1
    if (inLedgerOf !== undefined) return isAlive ? { left_by: inLedgerOf } : null; // O2
    if (now - Date.parse(prediction.created_at) < YOUNG * 1000) return null; // O1
    if (jobId !== null) return isAlive || over.has(jobId) ? { left_by: jobId } : null;
    return mayBeWanted(prediction, wanted) ? null : { left_by: null }; // O1
  };
}

/** What an unfinished clip may be looking for: by its prompt, or, where its model takes none, whatever is of the model. */
interface Wanted {
  model: string;
  beginning: string | null;
}

/** Long prompts are shortened in a job: the beginning has to do. */
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

/** Of one that is over what it cost, of one that runs what it usually costs; null where that would be a guess. */
function costOf(
  { status, input, predict_time, data_removed }: ProviderPrediction,
  row: ModelRow | undefined,
): number | null {
  if (status === 'aborted') return 0;
  if (row === undefined) return null;
  const { duration, bills_failed } = row;
  const asked = duration.input === null ? null : effective(row, input, duration.input);
  const isByInput = pricedInputs(row).length > 0;
  // Without its input it is not known which price it was, nor for how many seconds.
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
