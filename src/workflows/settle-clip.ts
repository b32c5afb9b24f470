/** Ends the predictions of a clip that may still run at the provider, and enters how each of them ended. */
import { ActivityFailure, ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type {
  CanceledExecution,
  EndLostInput,
  Rendered,
  SettlePredictionInput,
} from '../contract/activities.js';
import { MISSING } from '../domain/job/failure-kinds.js';
import type { Prediction } from '../domain/job/job.schema.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';
import { searching, settling } from './activity-options.js';
import { causeOf } from './activity-failure.js';
import type { ClipState } from './clip-state.js';
import type { JobState } from './job-state.js';

/** Ends all but `kept`. The result is one that had succeeded meanwhile, if any: it is paid for. */
export async function settleClip(
  job: JobState,
  clip: ResolvedClip,
  state: ClipState,
  kept: string | null = null,
): Promise<Rendered | null> {
  return CancellationScope.nonCancellable(async () => {
    let rendered: Rendered | null = null;
    for (const prediction of state.openPredictions.filter(({ id }) => id !== kept)) {
      try {
        const settled = await settling().settlePrediction.executeWithOptions(
          { summary: `end prediction ${prediction.id}` },
          [{ prediction, ...termsOf(job, prediction, clip) }],
        );
        rendered = enterEnd(state, settled) ?? rendered;
      } catch (error) {
        if (!(error instanceof ActivityFailure)) throw error;
        job.log.warn(
          `prediction ${prediction.id} could not be confirmed as ended; the provider's own deadline ends it (${prediction.url})`,
          { clip_index: clip.clip_index },
        );
      }
    }
    return rendered;
  });
}

/**
 * Looks at what a clip carries over from an earlier run, and ends everything else. `found` is what has been rendered and is
 * not paid for again; `resumed`: the prediction still runs, and is the first attempt of this round; `endedWithoutVideo`: the
 * prediction that was carried over has ended so.
 */
export async function settleEarlier(
  job: JobState,
  clip: ResolvedClip,
  state: ClipState,
  carriedOver: Prediction | null,
): Promise<{ found: Rendered | null; resumed: boolean; endedWithoutVideo: boolean }> {
  const seen = carriedOver === null ? null : await look(job, clip, state, carriedOver);
  const kept = seen === 'running' && carriedOver !== null ? carriedOver.id : null;
  const other = await settleClip(job, clip, state, kept);
  const found = seen === 'running' || seen === null ? other : seen;
  return {
    found,
    resumed: found === null && kept !== null && state.resume(kept),
    endedWithoutVideo: found === null && kept === null && carriedOver !== null,
  };
}

/** The file of a prediction that has succeeded, `running`, or null when it has ended without one. */
async function look(
  job: JobState,
  clip: ResolvedClip,
  state: ClipState,
  prediction: Prediction,
): Promise<Rendered | 'running' | null> {
  return CancellationScope.nonCancellable(async () => {
    try {
      const seen = await settling().settlePrediction.executeWithOptions(
        { summary: `look at prediction ${prediction.id}` },
        [{ prediction, ...termsOf(job, prediction, clip), leave_running: true }],
      );
      return enterEnd(state, seen) ?? (state.isOpen(prediction.id) ? 'running' : null);
    } catch (error) {
      const cause = causeOf(error);
      if (cause === undefined) throw error;
      // The provider has none of that id. A prediction that cannot be read at the moment may still run, and is resumed.
      const isMissing = cause instanceof ApplicationFailure && cause.type === MISSING;
      return !isMissing && state.isOpen(prediction.id) ? 'running' : null;
    }
  });
}

/** A prediction of another model is billed on the terms on which it was created. */
const termsOf = (
  { models }: JobState,
  { model, unit_price }: Prediction,
  clip: ResolvedClip,
): Pick<SettlePredictionInput, 'price' | 'bills_failed'> => ({
  price: model === undefined ? clip.price : unit_price,
  bills_failed: models.billsFailed(model),
});

/** Finds and ends the prediction of a create whose execution never answered; null when there may be one that was not found. */
export async function endLost(
  job: JobState,
  input: EndLostInput,
): Promise<CanceledExecution | null> {
  return CancellationScope.nonCancellable(async () => {
    try {
      const summary = `look for what clip ${String(input.clip_index)} may have left running`;
      return await searching().endLost.executeWithOptions({ summary }, [input]);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      job.log.warn(
        'it could not be confirmed that nothing was left running; npm run orphans lists what is',
        { clip_index: input.clip_index },
      );
      return null;
    }
  });
}

/** Enters how a prediction ended; the result is its file when it had succeeded. */
export function enterEnd(state: ClipState, end: CanceledExecution | null): Rendered | null {
  if (end?.prediction == null) return null;
  const { prediction, output_url } = end;
  state.enter(prediction);
  return output_url === null ? null : { prediction, output_url };
}
