/**
 * The names of the workflow, its task queues, queries and signals, and the shapes that go with them. Safe to import anywhere:
 * types and definitions only, nothing from Node.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { AttemptOver, Refusal } from './activities.js';
import type { Problem, Job, Prediction } from '../domain/job/job.schema.js';
import type { ClipPage, EventPage } from '../domain/job/pages.js';

export const WORKFLOW_TYPE = 'generateClipsWorkflow';

/**
 * Activities that may have to wait for a host outside have task queues of their own, with activity slots of their own in each
 * worker: they never take those of the quick activities on the main queue. On `paid`, Temporal also limits the creates per
 * minute. `hold` attaches to predictions that exist, without a limit; `refs` looks at reference images, `save` stores clips,
 * `ends` ends predictions, `look` searches for lost ones. Four letters, because Temporal's databases keep 255 characters of a
 * name, and the main queue may have 250.
 */
export const SIDE_QUEUES = ['paid', 'hold', 'refs', 'save', 'ends', 'look'] as const;
export type SideQueue = (typeof SIDE_QUEUES)[number];
export const sideQueue = (taskQueue: string, side: SideQueue): string => `${taskQueue}-${side}`;
export const paidTaskQueue = (taskQueue: string): string => sideQueue(taskQueue, 'paid');

export const progressQuery = defineQuery<Job>('progress');
export const eventsQuery = defineQuery<EventPage, [after?: number]>('events');
/** What `progress` had to leave out of a large job, page by page; `from` is a place in the list of clips. */
export const clipsQuery = defineQuery<ClipPage, [from?: number]>('clips');

export const cancelClipSignal = defineSignal<[{ clip_index: number }]>('cancelClip');
/** `completed_at`: the end of the clip that the sender saw, if any; a clip that was retried since is not paid once more. */
export const retryClipSignal =
  defineSignal<[{ clip_index: number; completed_at?: string | null }]>('retryClip');
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');
export const setMaxCostSignal = defineSignal<[{ max_cost_usd: number }]>('setMaxCost');

/** What each signal of the paid activity carries. */
interface Asked {
  clip_index: number;
  /** When the provider could first have been asked for this clip, by the server's clock. */
  asked_at?: string;
  /** The model that the clip is requested from. */
  model?: string;
}

/** From the paid activity: a prediction exists. Sent once an attempt, before the activity waits for the prediction. */
export interface PredictionCreated extends Asked {
  prediction: Prediction;
}
export const predictionCreatedSignal = defineSignal<[PredictionCreated]>('predictionCreated');

/** From the paid activity: this attempt is over without a clip, and Temporal will try again. */
export interface AttemptFailed extends AttemptOver, Asked {}
export const attemptFailedSignal = defineSignal<[AttemptFailed]>('attemptFailed');

/** From the paid activity, once an attempt: Replicate makes it wait. */
export interface RateLimited extends Asked {
  seconds: number;
  message: string;
}
export const rateLimitedSignal = defineSignal<[RateLimited]>('rateLimited');

/**
 * From the paid activity, once a clip, and only where none of the signals above comes within some seconds: the provider
 * could be asked from `asked_at` on.
 */
export type ClipAsked = Asked & Required<Pick<Asked, 'asked_at'>>;
export const clipAskedSignal = defineSignal<[ClipAsked]>('clipAsked');

/**
 * From the paid activity, once an execution: the provider refuses to say how a prediction stands, which may still run, for a
 * reason that every further clip would meet.
 */
export interface ProviderRefuses extends Asked, Refusal {}
export const providerRefusesSignal = defineSignal<[ProviderRefuses]>('providerRefuses');

/** One of the signals above as the workflow receives it: its input may be anything. */
export const signalNamed = (name: string) => defineSignal<[input: unknown]>(name);

/** What the workflow knows of a clip, for an execution of the paid activity that cannot recover its state from its heartbeats. */
export interface ClipMemory {
  /** The one that makes the clip now; only in a job with several models. */
  model?: string;
  /** Attempts that are over. */
  failed_attempts: number;
  /** Predictions of this clip, in order; the last may still run. */
  predictions: Prediction[];
  /** Ids that belong to other clips of the job. */
  claimed: string[];
  /** May the next paid prediction be created, or does the cap forbid it? */
  granted: boolean;
  last_error: Problem | null;
  /** Before this the next attempt is too early. */
  next_attempt_at: string | null;
  /** When the provider could first have been asked for the clip; null as long as that is not known. */
  asked_at?: string | null;
}
export const clipMemoryQuery = defineQuery<ClipMemory, [clip_index: number]>('clipMemory');
