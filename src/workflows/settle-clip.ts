/** Ends every prediction of a clip that may still run at the provider, but for one to go on with, and books each end. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow';
import type { CanceledExecution, EndLostInput, Rendered } from '../domain/activity.js';
import type { ResolvedClip } from '../domain/resolved.js';
import { endLost, settlePrediction } from './activities.js';
import type { ClipLedger } from './clip-ledger.js';
import { unaffordable } from './clip-over.js';
import type { JobContext } from './job-context.js';
import { leftRunning } from './left-behind.js';

/** Answers with one that had succeeded meanwhile, if any: it was paid for. `left` is only read if it still runs. */
export async function settleClip(
  job: JobContext,
  clip: ResolvedClip,
  ledger: ClipLedger,
  left: string | null = null,
): Promise<Rendered | null> {
  return CancellationScope.nonCancellable(async () => {
    let rendered: Rendered | null = null;
    const { bills_failed } = job.plan.model;
    for (const prediction of ledger.open) {
      const leave_running = prediction.id === left;
      try {
        const settled = await settlePrediction.executeWithOptions(
          { summary: `${leave_running ? 'look at' : 'end'} prediction ${prediction.id}` },
          [{ prediction, price: clip.price, bills_failed, leave_running }],
        );
        rendered = bookEnd(ledger, settled) ?? rendered;
      } catch (error) {
        if (!(error instanceof ActivityFailure)) throw error;
        if (leave_running) continue;
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
 * Of an earlier round: what it has rendered is `found` and not paid for again, and the clip `goesOn` with what still
 * runs of it.
 */
export async function settleEarlier(
  job: JobContext,
  clip: ResolvedClip,
  ledger: ClipLedger,
): Promise<{ found: Rendered | null; goesOn: boolean }> {
  const left = leftRunning(ledger.all, job.plan.clip_timeout);
  const found = await settleClip(job, clip, ledger, left?.id);
  if (left === null || found !== null) return { found, goesOn: false };
  if (ledger.goOnWith(left.id)) return { found, goesOn: true };
  // It has ended meanwhile: the reservation stood for it, and what the clip needs now is one more.
  if (!job.budget.reserve(clip.clip_index)) throw unaffordable(null);
  return { found, goesOn: false };
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
