/**
 * What is written down before a create is sent, and what follows from it for whoever comes next: a prediction to attach
 * to, a create to look for, or nothing. Pure.
 *
 * I1 A prediction that the ledger knows is of the past, and so is what was begun before it: no create is begun before it is
 *    known what came of the one before. The ledger's newest is enough to know.
 * I2 What this run has begun is this clip's, however long ago: the workflow may be older than the disk. What it has begun on
 *    another model is over, for a clip goes on with the next only when all of the one before is settled.
 * I3 What another run has begun counts only where something may have been forgotten, asks for exactly the same, and is not
 *    older than the workflow says a lost prediction may be: it was reset, or goes on from a run that was cut off.
 */

/** Milliseconds by which two workers may differ about the server's time. */
const MARGIN = 60_000;

export interface CreateIntent {
  /** By the server's clock. */
  at: string;
  /** The execution that sends it. */
  run_id: string;
  activity_id: string;
  execution: number;
  /** Of its round. */
  attempt: number;
  model: string;
  /** Of what is sent. */
  input_sha256: string;
  /** The first run of the chain, where that is known. */
  chain?: string;
}

/** The `number`-th create of a clip. `prediction_id`: null when nothing was created, absent as long as nobody knows. */
export interface BegunCreate extends CreateIntent {
  number: number;
  prediction_id?: string | null;
}

export interface Asking {
  model: string;
  run_id: string;
  chain?: string | undefined;
  input_sha256: string;
  /** More may have been created than the workflow knows of. */
  unclear: boolean;
  /** Ids that the workflow knows: at least the newest of the clip. */
  known: ReadonlySet<string>;
  /** A lost prediction is not older. */
  since: string;
}

export interface MayExist {
  /** Created for this clip, and unknown to the workflow; the oldest first, as they were. */
  attach: string | null;
  /** Begun, and nobody knows what came of them. */
  open: BegunCreate[];
}

export function mayExist(begun: readonly BegunCreate[], asking: Asking): MayExist {
  const newest = begun.findLastIndex(({ prediction_id: id }) => asking.known.has(id ?? '')); // I1
  const ours = begun.slice(newest + 1).filter((create) => isOurs(create, asking));
  return {
    attach: ours.find(({ prediction_id }) => prediction_id != null)?.prediction_id ?? null,
    open: ours.filter(({ prediction_id }) => prediction_id === undefined),
  };
}

function isOurs(create: CreateIntent, { run_id, chain, unclear, ...asking }: Asking): boolean {
  if (create.model !== asking.model) return false;
  if (create.run_id === run_id) return true; // I2
  if (!unclear) return chain !== undefined && create.chain === chain;
  const isYoung = Date.parse(create.at) >= Date.parse(asking.since) - MARGIN;
  return isYoung && create.input_sha256 === asking.input_sha256; // I3
}
