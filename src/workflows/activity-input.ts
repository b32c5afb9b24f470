/** The inputs of one clip's activities: plan and clip, as frozen when the plan was resolved. Pure. */
import { workflowInfo } from '@temporalio/workflow';
import type {
  EndLostInput,
  GenerateClipInput,
  Rendered,
  StoreClipInput,
} from '../contract/activities.js';
import { labelLine } from '../domain/values/foreign-text.js';
import { RETENTION } from '../domain/job/prediction-status.js';
import type { ResolvedClip, ResolvedPlan } from '../domain/plan/resolved.js';
import { providerInput } from '../domain/plan/resolved.js';
import { lookedForSince } from './clip-state.js';

/** How many ids of the clip's ledger are passed, the newest: a lost prediction is younger than these. */
export const MAX_KNOWN = 100;

export type GivenState = Pick<
  GenerateClipInput,
  'resume' | 'unclear' | 'failed_attempts' | 'since' | 'store'
> & {
  asked_at: string | null;
  known: string[];
  /** When the clip was started in a run that was ended from outside: a create of that run may be in no ledger. */
  cut_off: string | null;
};

export const generateClipInput = (
  { model, clip_timeout }: Pick<ResolvedPlan, 'model' | 'clip_timeout'>,
  clip: ResolvedClip,
  { cut_off, ...state }: GivenState,
): GenerateClipInput => ({
  clip_index: clip.clip_index,
  model: model.id,
  version: model.version,
  input: providerInput(model, clip),
  requested_duration: clip.requested_duration,
  price: clip.price,
  bills_failed: model.bills_failed,
  usual_time: clip.usual_time,
  clip_timeout,
  deadline: new Date(Date.parse(state.asked_at ?? state.since) + clip_timeout * 1000).toISOString(),
  chain: workflowInfo().firstExecutionRunId,
  ...state,
  ...(cut_off === null ? {} : { since: lookedForSince(cut_off), unclear: true }),
  ...(wasReset() ? lookBack(state) : {}),
});

/** By `temporal workflow reset`: a prediction that is no longer in this run's history may have been rendered, or still run. */
const wasReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return originalExecutionRunId !== undefined && runId !== originalExecutionRunId;
};

/** As far back as the provider keeps the inputs that a prediction is found by. */
const lookBack = ({ since }: Pick<GivenState, 'since'>): Pick<GivenState, 'since' | 'unclear'> => ({
  since: new Date(Date.parse(since) - RETENTION * 1000).toISOString(),
  unclear: true,
});

export const endLostInput = (
  { model }: Pick<ResolvedPlan, 'model'>,
  clip: ResolvedClip,
  {
    resume,
    since,
    known,
    failed_attempts,
    cut_off,
    store,
  }: Omit<GivenState, 'unclear' | 'asked_at'>,
): EndLostInput => ({
  clip_index: clip.clip_index,
  model: model.id,
  input: providerInput(model, clip),
  requested_duration: clip.requested_duration,
  price: clip.price,
  bills_failed: model.bills_failed,
  attempt: failed_attempts + 1,
  resume,
  since: cut_off === null ? since : lookedForSince(cut_off),
  known,
  chain: workflowInfo().firstExecutionRunId,
  store,
});

export const storeClipInput = (
  clip: ResolvedClip,
  { prediction, output_url }: Rendered,
  { now, store }: { now: string; store: string | undefined },
): StoreClipInput => ({
  clip_index: clip.clip_index,
  requested_duration: clip.requested_duration,
  prediction_id: prediction.id,
  output_url,
  expires_at: new Date(Date.parse(prediction.completed_at ?? now) + RETENTION * 1000).toISOString(),
  store,
});

/** As Temporal shows the paid activity. Its id identifies the clip; no two with the same id run at a time. */
export const generateClipOptions = ({ clip_index, requested_duration, prompt }: ResolvedClip) => ({
  activityId: `clip-${String(clip_index)}`,
  summary: `clip ${String(clip_index)} · ${String(requested_duration)} s · ${labelLine(prompt, 60)}`,
});

export const storeClipOptions = ({ clip_index }: ResolvedClip) => ({
  activityId: `store-${String(clip_index)}`,
  summary: `store clip ${String(clip_index)}`,
});
