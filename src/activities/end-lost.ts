/**
 * For a clip that ended while nobody knew whether its create had come through: finds the prediction that may
 * exist, ends it and reads how it ended. Creates nothing.
 *
 * G4 A worker that died in the middle of a create leaves nothing running behind a clip that was canceled.
 */
import { ApplicationFailure } from '@temporalio/activity';
import { isTerminal } from '../adapters/replicate.js';
import type { CanceledExecution, EndLostInput } from '../domain/activity.js';
import { INTERRUPTED } from '../domain/failures.js';
import { cancelAndConfirm } from './cancel.js';
import type { Deps } from './deps.js';
import { Execution } from './execution.js';
import { findLost } from './find-lost.js';
import { toLedger } from './ledger.js';

export const createEndLost =
  (deps: Deps) =>
  async (input: EndLostInput): Promise<CanceledExecution> => {
    using execution = new Execution({
      attempt: input.attempt,
      failed_attempts: input.attempt - 1,
      phase: 'reconciling',
      prediction_id: input.resume,
      status: null,
      percent: null,
      until: null,
      message: null,
    });
    execution.beat({});
    const owner = `${execution.workflowId}/${String(input.clip_index)}`;
    const lost =
      input.resume === null
        ? await findLost(deps, execution, { ...input, owner, exclude: new Set(input.known) })
        : null;
    const id = input.resume ?? lost?.id ?? null;
    if (id === null) {
      if (execution.interruption === null) return { prediction: null, output_url: null };
      throw ApplicationFailure.retryable('cut off; the next execution looks again', INTERRUPTED);
    }
    const last = await cancelAndConfirm(deps.replicate, id, lost);
    if (last === null || !isTerminal(last.status)) {
      throw ApplicationFailure.retryable(`expected prediction ${id} to be over`, 'provider_error');
    }
    return {
      prediction: toLedger(last, input, input.attempt, lost !== null),
      output_url: last.status === 'succeeded' ? last.output_url : null,
    };
  };
