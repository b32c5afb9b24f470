/**
 * Settles a prediction that no clip waits for: ends it at the provider (or leaves it running for a later attempt of its
 * clip), and reads how it ended. A prediction that has succeeded meanwhile is reported with its file: it was paid for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { CanceledExecution, SettlePredictionInput } from '../contract/activities.js';
import { MISSING } from '../domain/job/failures.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import { rereadEmptySuccess } from './follow-prediction.js';
import { toLedger } from './ledger-line.js';
import { learnServerTime } from './server-clock.js';

export const createSettlePrediction =
  (deps: Deps) =>
  async (input: SettlePredictionInput): Promise<CanceledExecution> => {
    const { replicate } = deps;
    await learnServerTime(deps, Context.current());
    const { id, attempt, adopted, requested_duration } = input.prediction;
    const read = await replicate.get(id);
    const known = read.type === 'found' ? read.prediction : null;
    const mayRun = input.leave_running === true;
    if (mayRun && read.type === 'missing') {
      throw ApplicationFailure.nonRetryable(`there is no prediction ${id}`, MISSING);
    }
    const end = mayRun ? known : await cancelAndConfirm(replicate, id, known);
    const last = end === null ? null : await rereadEmptySuccess(replicate, end, sleep);
    if (last === null) {
      throw askAgain(
        `expected to read prediction ${id}, the provider gave no answer that can be read`,
      );
    }
    if (!mayRun && !isTerminal(last.status)) {
      throw askAgain(`expected prediction ${id} to be over, it is ${last.status}`);
    }
    return {
      prediction: toLedger(last, { ...input, requested_duration }, { attempt, adopted }, replicate),
      output_url: last.status === 'succeeded' ? last.output_url : null,
    };
  };

const askAgain = (message: string): ApplicationFailure =>
  ApplicationFailure.retryable(message, 'provider_error');
