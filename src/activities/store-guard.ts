/** A worker does nothing for a job that was started with another DATA_DIR: somebody else may, and nothing is lost. */
import { ApplicationFailure } from '@temporalio/activity';
import type { INTERRUPTED } from '../domain/job/failures.js';
import type { Deps } from './deps.js';

/** Between two executions: a worker with the right folder takes the next one, perhaps. */
const PAUSE = '5s';

/**
 * `as`: what the workflow hears in the end. An interruption uses up no attempt of a clip; what is stored is tried again for
 * as long as the provider has it, whatever it is.
 */
export function expectOwnStore(
  { store_id }: Pick<Deps, 'store_id'>,
  { store = store_id }: { store?: string | undefined },
  as: typeof INTERRUPTED | 'storage_error' = 'storage_error',
): void {
  if (store === store_id) return;
  throw ApplicationFailure.create({
    type: as,
    message: `expected the DATA_DIR that this job was started with (identity ${store}), this worker has another (identity ${store_id}); nothing was done. Give it the same folder, or stop it`,
    nextRetryDelay: PAUSE,
  });
}
