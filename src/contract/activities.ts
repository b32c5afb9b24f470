/**
 * Inputs, results, failure details and heartbeats of the activities, and the second argument of the workflow. Types only. All
 * of it is plain JSON that stands in histories: a new field has to be optional.
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

/** `store`: the identity of the store that the job was started with. A worker with another one refuses its activities. */
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

/** A clip that is in neither list is fine as it is planned. */
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
  /** An earlier execution may have created a prediction that is in no ledger. */
  unclear: boolean;
  /** When this clip was first scheduled: a lost prediction is not older. */
  since: string;
  /** When its time budget is over, where `clip_timeout` is not given: the input of an earlier release. */
  deadline: string;
  /** Seconds that the clip may take, from the moment the provider could first have been asked. */
  clip_timeout?: number;
  /** That moment, by the server's clock; null as long as it is not known. */
  asked_at?: string | null;
  /** Ids that this clip has in its ledger already, earlier rounds included: none of them is the lost one. */
  known?: string[];
  /** The first run of the chain that this one belongs to (`firstExecutionRunId`): creates of each of its runs are this clip's. */
  chain?: string;
}

/** Of a clip that ended while it was not known whether its create had come through. */
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
  /** The worker shuts down, or the execution's time is nearly over; the next execution resumes the prediction. */
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
  /** Why the provider refuses to say how it stands, where it does: its end is not known. */
  refused?: Refusal;
}

/** A failure that every further clip would meet. */
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
  /** One that still runs is only read: the clip resumes it. */
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
  /** Hex, of the stored file. Older releases do not tell these two. */
  video_sha256?: string;
  video_bytes?: number;
}

/** How the job ends; the archive is written before the event becomes visible. */
export interface ArchiveJobInput extends OfStore {
  terminal: { type: TerminalEventType } & JobEnd;
  at: string;
}

/** The second, internal argument of the workflow in a retried job: the job as it was. */
export interface Previous {
  previous: Job;
}

/** The same in a further run of a long job: all that the run before it knew, at a moment when nothing was in flight. */
export interface Continued {
  continued: CarriedJob;
}

export interface CarriedJob {
  checked: ResolvePlanResult;
  /** Whole, after its last event. */
  job: Job;
  /** Those that came after the log was stored. */
  events: JobEvent[];
  clips: CarriedClip[];
  /** Clips whose images were looked at. */
  prepared: CarriedImages[];
  /** Why no further clip is started. */
  halt: Problem | null;
  /** How many were started. */
  batches: number;
  /** Was the job ever retried? Then clips may carry over predictions of an earlier run, which are paid for. */
  retried: boolean;
}

/** What cannot be told from a clip itself. */
export interface CarriedClip {
  clip_index: number;
  /** How many creates may have come through whose predictions could not be looked for. */
  unknown: number;
  /** When it was started in a run that was ended from outside. */
  cut_off: string | null;
  /** The model that made it then; only in a job with several models. */
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
  /** The last one to be stored. */
  seq: number;
}
