/** Ends every prediction of a clip that may still run at the provider, but for one to go on with, and books each end. */
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
import type { ClipBook } from './clip-state.js';
import { unaffordable } from './clip-over.js';
import type { JobState } from './job-state.js';

/** Answers with one that had succeeded meanwhile, if any: it was paid for. The one that is `kept` runs on. */
export async function settleClip(
  job: JobState,
  clip: ResolvedClip,
  book: ClipBook,
  kept: string | null = null,
): Promise<Rendered | null> {
  return CancellationScope.nonCancellable(async () => {
    let rendered: Rendered | null = null;
    for (const prediction of book.open.filter(({ id }) => id !== kept)) {
      try {
        const settled = await settling().settlePrediction.executeWithOptions(
          { summary: `end prediction ${prediction.id}` },
          [{ prediction, ...termsOf(job, prediction, clip) }],
        );
        rendered = bookEnd(book, settled) ?? rendered;
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
 * Of an earlier round: what it has rendered is `found` and not paid for again, and the clip `goesOn` with what still
 * runs of it. Everything else is ended.
 */
export async function settleEarlier(
  job: JobState,
  clip: ResolvedClip,
  book: ClipBook,
  left: Prediction | null,
): Promise<{ found: Rendered | null; goesOn: boolean }> {
  const seen = left === null ? null : await look(job, clip, book, left);
  const kept = seen === 'running' && left !== null ? left.id : null;
  const other = await settleClip(job, clip, book, kept);
  const found = seen === 'running' || seen === null ? other : seen;
  if (left === null || found !== null) return { found, goesOn: false };
  if (kept !== null) return { found, goesOn: book.goOnWith(kept) };
  // The reservation stood for it, and what the clip needs now is one more.
  if (!job.budget.reserve(book)) throw unaffordable(null);
  return { found, goesOn: false };
}

/** How one that was left stands: its file, that it runs, or null when it came to nothing. */
async function look(
  job: JobState,
  clip: ResolvedClip,
  book: ClipBook,
  prediction: Prediction,
): Promise<Rendered | 'running' | null> {
  return CancellationScope.nonCancellable(async () => {
    try {
      const seen = await settling().settlePrediction.executeWithOptions(
        { summary: `look at prediction ${prediction.id}` },
        [{ prediction, ...termsOf(job, prediction, clip), leave_running: true }],
      );
      return bookEnd(book, seen) ?? (book.isOpen(prediction.id) ? 'running' : null);
    } catch (error) {
      const cause = causeOf(error);
      if (cause === undefined) throw error;
      // Another account has never had it. One that nobody can read for now may well run, and is read on.
      const isMissing = cause instanceof ApplicationFailure && cause.type === MISSING;
      return !isMissing && book.isOpen(prediction.id) ? 'running' : null;
    }
  });
}

/** One of another model was begun on the terms of that one. */
const termsOf = (
  { makers }: JobState,
  { model, unit_price }: Prediction,
  clip: ResolvedClip,
): Pick<SettlePredictionInput, 'price' | 'bills_failed'> => ({
  price: model === undefined ? clip.price : unit_price,
  bills_failed: makers.billsFailed(model),
});

/** Finds what a create may have left behind whose execution never answered; null when nobody can tell. */
export async function endLostOf(
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

/** Enters how a prediction ended; answers with its file when it had succeeded. */
export function bookEnd(book: ClipBook, end: CanceledExecution | null): Rendered | null {
  if (end?.prediction == null) return null;
  const { prediction, output_url } = end;
  book.enter(prediction);
  return output_url === null ? null : { prediction, output_url };
}
