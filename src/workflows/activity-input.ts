/** What the activities of one clip are given: plan and clip, as frozen when the plan was resolved. Pure. */
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

/** A lost prediction is younger than the newest hundred of the clip's ledger. */
export const MAX_KNOWN = 100;

export type ClipState = Pick<
  GenerateClipInput,
  'resume' | 'unclear' | 'failed_attempts' | 'since' | 'store'
> & {
  asked_at: string | null;
  known: string[];
  /** It was started at this time in a run that was ended from outside, and what it created then may be unheard of. */
  cut_off: string | null;
};

export const generateClipInput = (
  { model, clip_timeout }: Pick<ResolvedPlan, 'model' | 'clip_timeout'>,
  clip: ResolvedClip,
  { cut_off, ...state }: ClipState,
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

/** Somebody ran `temporal workflow reset`: what this run has forgotten may have been rendered, or run still. */
const wasReset = (): boolean => {
  const { runId, originalExecutionRunId } = workflowInfo();
  return originalExecutionRunId !== undefined && runId !== originalExecutionRunId;
};

/** As far back as the provider keeps inputs to find a prediction by. */
const lookBack = ({ since }: Pick<ClipState, 'since'>): Pick<ClipState, 'since' | 'unclear'> => ({
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
  }: Omit<ClipState, 'unclear' | 'asked_at'>,
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

/** What Temporal shows of the paid activity; one of these ids at a time. */
export const generateClipOptions = ({ clip_index, requested_duration, prompt }: ResolvedClip) => ({
  activityId: `clip-${String(clip_index)}`,
  summary: `clip ${String(clip_index)} · ${String(requested_duration)} s · ${labelLine(prompt, 60)}`,
});

export const storeClipOptions = ({ clip_index }: ResolvedClip) => ({
  activityId: `store-${String(clip_index)}`,
  summary: `store clip ${String(clip_index)}`,
});
