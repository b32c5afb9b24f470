/** Waiting for something to become true, without missing a cancellation. */
import { CancellationScope, condition, patched } from '@temporalio/workflow';

/**
 * As `condition`, and rejects also when a signal of the same activation has made it true: signals are taken first,
 * and a wait that has ended by then no longer hears of the cancellation beside them.
 */
export async function until(isTrue: () => boolean): Promise<void> {
  await condition(isTrue);
  const scope = CancellationScope.current();
  // Jobs that went on before this was known go on as they did.
  if (scope.consideredCancelled && patched('cancel-beside-signal')) await scope.cancelRequested;
}
