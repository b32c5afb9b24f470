/**
 * For a clip that ended while it was unknown whether its create had come through: finds the prediction that may exist, so
 * that it stands in the ledger and is ended like any other. Creates nothing and ends nothing itself.
 *
 * G4 A worker that died in the middle of a create leaves nothing running behind a clip that was canceled.
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';
import type { CanceledExecution, EndLostInput } from '../contract/activities.js';
import { INTERRUPTED } from '../domain/job/failures.js';
import type { Deps } from './deps.js';
import { earlierCreates, searchFrom } from './earlier-creates.js';
import { Execution } from './execution.js';
import { findLost } from './find-lost.js';
import { toLedger, unread } from './ledger-line.js';
import { expectStoreOfJob } from './store-guard.js';
import { learnServerTime } from './server-clock.js';

export const createEndLost =
  (deps: Deps) =>
  async (input: EndLostInput): Promise<CanceledExecution> => {
    expectStoreOfJob(deps, input, INTERRUPTED);
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
    await learnServerTime(deps, execution.context);
    const found = await (input.resume === null
      ? search(deps, execution, input)
      : read(deps, input.resume, input.model));
    if (found === null) {
      if (execution.interruption === null) return { prediction: null, output_url: null };
      throw ApplicationFailure.retryable(
        'the execution was cut off; the next one searches again',
        INTERRUPTED,
      );
    }
    const line = { attempt: input.attempt, adopted: input.resume === null };
    return {
      prediction: toLedger(found, input, line, deps.replicate),
      output_url: found.status === 'succeeded' ? found.output_url : null,
    };
  };

async function search(
  deps: Deps,
  execution: Execution,
  input: EndLostInput,
): Promise<ProviderPrediction | null> {
  const known = new Set(input.known);
  const earlier = await earlierCreates(deps, execution, input, { known, unclear: true });
  if (earlier.attach !== null) return read(deps, earlier.attach, input.model);
  // Nothing was sent.
  if (earlier.open.length === 0 && earlier.isComplete) return null;
  const owner = `${execution.workflowId}/${String(input.clip_index)}`;
  const since = searchFrom(earlier, input.since);
  return findLost(deps, execution, { ...input, since, owner, exclude: known });
}

/** Where it cannot be read, the activity that ends it asks again. */
async function read({ replicate }: Deps, id: string, model: string): Promise<ProviderPrediction> {
  const answer = await replicate.get(id);
  return answer.type === 'found' ? answer.prediction : unread(id, model, replicate);
}
