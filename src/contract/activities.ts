/**
 * What goes into the activities and comes out of them: the seam between workflow and effects. Types only,
 * all of it plain JSON that stands in histories: a new field has to be optional.
 */
import type { FailureKind } from '../domain/job/failure-kinds.js';
import type {
  Problem,
  Job,
  JobEnd,
  JobEvent,
  Prediction,
  TerminalEventType,
  UnitPrice,
} from '../domain/job/job.schema.js';
import type { ClipReferences } from '../domain/references/clip-references.js';
import type { ResolvedPlan } from '../domain/plan/resolved.js';
import type { Timings } from './timings.js';

/** The identity of the DATA_DIR that the job was started with: a worker with another does nothing for it. */
interface OfStore {
  store?: string | undefined;
}

export interface ResolvePlanResult extends OfStore {
  resolved: ResolvedPlan;
  simulated: boolean;
  timings: Timings;
  /** The product's own when absent. */
  history_limits?: HistoryLimits;
}

export interface PrepareReferencesInput {
  clips: ClipReferences[];
}

/** Clips that nothing is said of are fine as they are. */
export interface PrepareReferencesResult {
  refused: RefusedClip[];
  uploads: UploadedComposite[];
}

export interface RefusedClip {
  clip_index: number;
  error: Problem;
}

export interface UploadedComposite {
  clip_index: number;
  url: string;
  /** The provider deletes uploads: a clip that starts after this needs a new one. */
  renew_at: string;
}

export interface GenerateClipInput extends OfStore {
  clip_index: number;
  model: string;
  version: string | null;
  input: Record<string, unknown>;
  requested_duration: number;
  price: UnitPrice | null;
  bills_failed: boolean;
  /** Seconds a prediction usually takes. */
  usual_time: number;
  /** Attempts of this clip that were over before this activity was scheduled. */
  failed_attempts: number;
  /** A prediction known to be this clip's and not over: attach to it. */
  resume: string | null;
  /** An earlier execution may have created a prediction that nobody knows of. */
  unclear: boolean;
  /** When this clip was first scheduled: a lost prediction is not older. */
  since: string;
  /** When its time budget is over, where `clip_timeout` is not given: the input of an earlier release. */
  deadline: string;
  /** Seconds that the clip may take, from the moment the provider could first have been asked. */
  clip_timeout?: number;
  /** That moment, by the server's clock; null as long as nobody has asked. */
  asked_at?: string | null;
  /** Ids that this clip has in its ledger already, earlier rounds included: none of them is the lost one. */
  known?: string[];
  /** The first run of the chain that this one continues (`firstExecutionRunId`): what any of them has begun is this clip's. */
  chain?: string;
}

/** A clip that ended while nobody knew whether its create had come through. */
export type EndLostInput = Pick<
  GenerateClipInput,
  | 'clip_index'
  | 'model'
  | 'input'
  | 'requested_duration'
  | 'price'
  | 'bills_failed'
  | 'since'
  | 'chain'
  | 'store'
> & {
  attempt: number;
  known: string[];
  /** The prediction that was last heard of, where one was. */
  resume: string | null;
};

/** A prediction as the ledger has it, and where its file is. */
export interface Rendered {
  prediction: Prediction;
  output_url: string;
}

export type GenerateClipResult =
  | ({ outcome: 'succeeded'; attempt: number } & Rendered)
  /** The worker shuts down, or the execution's time is nearly over; the prediction goes on, and so does the next execution. */
  | {
      outcome: 'handover';
      prediction_id: string | null;
      unclear: boolean;
      asked_at?: string | null;
    };

/** Details of the failure that ends an attempt. */
export interface AttemptOver {
  attempt: number;
  prediction: Prediction | null;
  error: Problem;
  /** Seconds until the next try, if there is one. */
  delay: number;
}

/** Details of a canceled execution: what became of the prediction. */
export interface CanceledExecution {
  prediction: Prediction | null;
  /** Set when it had succeeded before the cancellation could reach it. */
  output_url: string | null;
  /** Why the provider refuses to say how it stands, where it does: nobody knows its end. */
  refused?: Refusal;
}

/** What every further clip would meet as well. */
export interface Refusal {
  kind: FailureKind;
  message: string;
}

/** First element of the heartbeat details of `generateClip`; the API shows it while no event does. */
export interface Heartbeat {
  attempt: number;
  failed_attempts: number;
  phase: 'creating' | 'waiting' | 'reconciling' | 'rendering';
  prediction_id: string | null;
  status: string | null;
  percent: number | null;
  /** When a wait ends. */
  until: string | null;
  message: string | null;
  /** When the provider could first have been asked for this clip, by the server's clock. */
  asked_at?: string | null;
}

/** First element of the heartbeat details of `storeClip` and `prepareReferences`. */
export interface DownloadHeartbeat {
  /** Why nothing is downloaded at the moment, in a sentence. */
  waits_for: string | null;
  /** What the provider answered last instead of the file, and how often in a row. */
  answer: { message: string; times: number } | null;
}

export interface SettlePredictionInput {
  prediction: Prediction;
  price: UnitPrice | null;
  bills_failed: boolean;
  /** One that still runs is only read: somebody will go on with it. */
  leave_running?: boolean;
}

export interface StoreClipInput extends OfStore {
  clip_index: number;
  requested_duration: number;
  prediction_id: string;
  output_url: string;
  /** When the provider deletes the file. */
  expires_at: string;
}

export interface StoreClipResult {
  actual_duration: number;
  video_url: string;
  thumbnail_url: string | null;
}

/** How the job ends; the archive is written before the event becomes visible. */
export interface ArchiveJobInput extends OfStore {
  terminal: { type: TerminalEventType } & JobEnd;
  at: string;
}

/** The workflow's second, internal argument, of a retried run: the job that it goes on from. */
export interface Previous {
  previous: Job;
}

/** The same of a run that continues the one before it: everything that one knew, at a moment when nothing was in flight. */
export interface Continued {
  continued: CarriedJob;
}

export interface CarriedJob {
  checked: ResolvePlanResult;
  /** Whole, as it was told last. */
  job: Job;
  /** Events that were told after the log was kept in the store. */
  events: JobEvent[];
  clips: CarriedClip[];
  /** Clips whose images were looked at, as they are to be sent. */
  prepared: CarriedImages[];
  /** What keeps further clips from being started. */
  halt: Problem | null;
  /** Batches that were started. */
  batches: number;
  /** Was the job retried at some time: clips may have left predictions behind that are still paid for. */
  retried: boolean;
}

/** What cannot be told from a clip itself. */
export interface CarriedClip {
  clip_index: number;
  /** Predictions that may exist and could not be looked for. */
  unknown: number;
  /** When it was started in a run that was ended from outside. */
  cut_off: string | null;
  /** What it was made on then, in a job that has several models. */
  model?: string;
}

export interface CarriedImages {
  clip_index: number;
  /** The URL of its composite; null where its images go as they are, or not at all. */
  url: string | null;
  text_only: boolean;
  /** When an upload has to be made again; null: never. */
  renew_at: string | null;
}

/** Sizes of a run's history at which the job continues in a new run, once nothing is in flight. */
export interface HistoryLimits {
  events: number;
  bytes: number;
}

/** Input of `keepLog`: the events that are not in the store yet come from the run itself. */
export interface KeepLogInput extends OfStore {
  /** Those up to this seq are asked for. */
  seq: number;
}
