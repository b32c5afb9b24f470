/** Waiting for something to become true, without missing a cancellation. */
import { CancellationScope, condition } from '@temporalio/workflow';

/**
 * As `condition`, and rejects also when a signal of the same activation has made it true: signals are taken first,
 * and a wait that has ended by then no longer hears of the cancellation beside them.
 */
export async function until(isTrue: () => boolean): Promise<void> {
  await condition(isTrue);
  const scope = CancellationScope.current();
  if (scope.consideredCancelled) await scope.cancelRequested;
}
