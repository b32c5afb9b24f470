/** Ends every prediction of a clip that may still run at the provider, and books how each ended. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow';
import type { CanceledExecution, EndLostInput, Rendered } from '../domain/activity.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { endLost, settlePrediction } from './activities.js';
import type { ClipLedger } from './clip-ledger.js';
import type { JobContext } from './job-context.js';

/** Answers with one that had succeeded meanwhile, if any: it was paid for. */
export async function settleClip(
  job: JobContext,
  clip: ResolvedClip,
  ledger: ClipLedger,
): Promise<Rendered | null> {
  return CancellationScope.nonCancellable(async () => {
    let rendered: Rendered | null = null;
    for (const prediction of ledger.open) {
      try {
        const settled = await settlePrediction.executeWithOptions(
          { summary: `end prediction ${prediction.id}` },
          [{ prediction, price: clip.price, bills_failed: job.plan.model.bills_failed }],
        );
        rendered = bookEnd(ledger, settled) ?? rendered;
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

/** Finds what a create may have left behind whose execution never answered; null when nobody can tell. */
export async function endLostOf(
  job: JobContext,
  input: EndLostInput,
): Promise<CanceledExecution | null> {
  return CancellationScope.nonCancellable(async () => {
    try {
      const summary = `look for what clip ${String(input.clip_index)} may have left running`;
      return await endLost.executeWithOptions({ summary }, [input]);
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

/** Enters how a prediction ended; answers with its file when it had succeeded. */
export function bookEnd(ledger: ClipLedger, end: CanceledExecution | null): Rendered | null {
  if (end?.prediction == null) return null;
  const { prediction, output_url } = end;
  ledger.enter(prediction);
  return output_url === null ? null : { prediction, output_url };
}
