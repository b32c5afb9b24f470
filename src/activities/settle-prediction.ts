/**
 * Closes the books on a prediction that nobody waits for any more: ends it at the provider (or leaves it running for
 * whoever goes on with it), and reads how it ended. A prediction that had succeeded meanwhile is reported with its
 * file: it was paid for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { isTerminal } from '../adapters/replicate/replicate-client.js';
import type { CanceledExecution, SettlePredictionInput } from '../contract/activities.js';
import { MISSING } from '../domain/job/failures.js';
import { cancelAndConfirm } from './cancel-prediction.js';
import type { Deps } from './deps.js';
import { toLedger } from './ledger-line.js';
import { readOnceMore } from './reread-success.js';
import { learnServerTime } from './server-clock.js';

export const createSettlePrediction =
  (deps: Deps) =>
  async (input: SettlePredictionInput): Promise<CanceledExecution> => {
    const { replicate } = deps;
    await learnServerTime(deps, Context.current());
    const { id, attempt, adopted, requested_duration } = input.prediction;
    const read = await replicate.get(id);
    const known = read.type === 'found' ? read.prediction : null;
    const isLeft = input.leave_running === true;
    if (isLeft && read.type === 'missing') {
      throw ApplicationFailure.nonRetryable(`there is no prediction ${id}`, MISSING);
    }
    const end = isLeft ? known : await cancelAndConfirm(replicate, id, known);
    const last = end === null ? null : await readOnceMore(replicate, end, sleep);
    if (last === null) {
      throw again(
        `expected to read prediction ${id}, the provider gave no answer that can be read`,
      );
    }
    if (!isLeft && !isTerminal(last.status)) {
      throw again(`expected prediction ${id} to be over, it is ${last.status}`);
    }
    return {
      prediction: toLedger(last, { ...input, requested_duration }, { attempt, adopted }, replicate),
      output_url: last.status === 'succeeded' ? last.output_url : null,
    };
  };

const again = (message: string): ApplicationFailure =>
  ApplicationFailure.retryable(message, 'provider_error');
