/**
 * The note that is written before a create is sent, and what the next attempt concludes from earlier notes: a prediction
 * to attach to, a create to look for, or nothing. Pure.
 *
 * INTENT-1 A create whose prediction is in the ledger is settled, and so is every create before it: none is sent before the
 *    outcome of the previous one is known. Knowing the newest prediction of the ledger is therefore enough.
 * INTENT-2 A create of this run belongs to this clip, however old it is: the workflow may have been restored from a backup older
 *    than the disk. Its creates on another model are settled, because a clip moves to the next model only after that.
 * INTENT-3 A create of another run counts only where the workflow may have forgotten one (it was reset, or continues a run that
 *    was cut off), where the input is exactly the same, and where it is not older than a lost prediction may be.
 */

/** Milliseconds by which two workers may disagree about the server's time. */
const MARGIN = 60_000;

export interface CreateIntent {
  /** By the server's clock. */
  at: string;
  /** The workflow run that sends it. */
  run_id: string;
  activity_id: string;
  execution: number;
  /** Within its round. */
  attempt: number;
  model: string;
  /** Of the input that is sent. */
  input_sha256: string;
  /** The first run of the chain, where that is known. */
  chain?: string;
}

/** The `number`-th create of a clip. `prediction_id`: null when nothing was created, absent while that is unknown. */
export interface EarlierCreate extends CreateIntent {
  number: number;
  prediction_id?: string | null;
}

/** The attempt that is about to create. */
export interface NextCreate {
  model: string;
  run_id: string;
  chain?: string | undefined;
  input_sha256: string;
  /** The workflow may not know of every prediction. */
  unclear: boolean;
  /** Ids of predictions that the workflow knows, at least the clip's newest. */
  known: ReadonlySet<string>;
  /** No lost prediction is older. */
  since: string;
}

export interface Unsettled {
  /** The oldest prediction that was created for this clip and is unknown to the workflow. */
  attach: string | null;
  /** Creates whose outcome is unknown. */
  open: EarlierCreate[];
}

export function unsettled(earlier: readonly EarlierCreate[], next: NextCreate): Unsettled {
  const newest = earlier.findLastIndex(({ prediction_id: id }) => next.known.has(id ?? '')); // INTENT-1
  const ours = earlier.slice(newest + 1).filter((create) => isOurs(create, next));
  return {
    attach: ours.find(({ prediction_id }) => prediction_id != null)?.prediction_id ?? null,
    open: ours.filter(({ prediction_id }) => prediction_id === undefined),
  };
}

function isOurs(create: CreateIntent, { run_id, chain, unclear, ...next }: NextCreate): boolean {
  if (create.model !== next.model) return false;
  if (create.run_id === run_id) return true; // INTENT-2
  if (!unclear) return chain !== undefined && create.chain === chain;
  const isYoung = Date.parse(create.at) >= Date.parse(next.since) - MARGIN;
  return isYoung && create.input_sha256 === next.input_sha256; // INTENT-3
}
