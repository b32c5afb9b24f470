/**
 * What goes into the activities and comes out of them: the seam between workflow and effects. Types only,
 * all of it plain JSON that stands in histories: a new field has to be optional.
 */
import type { Problem } from './failure-kinds.js';
import type { Job, JobEnd, Prediction, TerminalEventType, UnitPrice } from './job.js';
import type { CompositeReference } from './references.js';
import type { ResolvedPlan } from './resolved.js';

/** Time-outs of the paid activity, in seconds, frozen with the plan. */
export interface Timings {
  start_to_close: number;
  heartbeat: number;
}

export interface ResolvePlanResult {
  resolved: ResolvedPlan;
  simulated: boolean;
  timings: Timings;
}

/** The images that one clip sends: by URL, and to be built of others. */
export interface ClipReferences {
  clip_index: number;
  urls: string[];
  composite?: CompositeReference;
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

export interface GenerateClipInput {
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
  /** When its time budget is over. */
  deadline: string;
  /** Ids that this clip has in its ledger already, earlier rounds included: none of them is the lost one. */
  known?: string[];
}

/** A clip that ended while nobody knew whether its create had come through. */
export type EndLostInput = Pick<
  GenerateClipInput,
  'clip_index' | 'model' | 'input' | 'requested_duration' | 'price' | 'bills_failed' | 'since'
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
  /** The worker shuts down; the prediction goes on, and so does the next execution. */
  | { outcome: 'handover'; prediction_id: string | null; unclear: boolean };

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
  /** A create of this clip was taken for one that did not come through; it may show up yet. */
  doubt?: Doubt | null;
}

/** When what may show up late was created, by the provider's clock. */
export interface Doubt {
  after: string;
  before: string;
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

export interface StoreClipInput {
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
export interface ArchiveJobInput {
  terminal: { type: TerminalEventType } & JobEnd;
  at: string;
}

/** The workflow's second, internal argument: the job that a retried run goes on from. */
export interface Previous {
  previous: Job;
}
