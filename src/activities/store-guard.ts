/** A worker does nothing for a job that was started with another store: another worker may, and nothing is lost. */
import { ApplicationFailure } from '@temporalio/activity';
import type { INTERRUPTED } from '../domain/job/failures.js';
import type { Deps } from './deps.js';
import { WAITS } from './waits.js';

/**
 * `as`: the type of the failure. An interruption uses up no attempt of a clip; `storage_error` is tried again for as long as
 * the provider has the file.
 */
export function expectStoreOfJob(
  { store_id }: Pick<Deps, 'store_id'>,
  { store = store_id }: { store?: string | undefined },
  as: typeof INTERRUPTED | 'storage_error' = 'storage_error',
): void {
  if (store === store_id) return;
  throw ApplicationFailure.create({
    type: as,
    message: `expected the store that this job was started with (identity ${store}), this worker has another (identity ${store_id}); nothing was done. Give it the same STORAGE_URL or DATA_DIR, or stop it`,
    // A worker with the right store may take the next execution.
    nextRetryDelay: `${String(WAITS.other_store / 1000)}s`,
  });
}
