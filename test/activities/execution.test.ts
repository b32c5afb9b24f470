/** EXECUTION-2: an execution knows by itself that it is too late. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { Execution } from '../../src/activities/execution.js';
import type { Interruption } from '../../src/activities/execution.js';
import { FAILED_ONCE } from './paid-activity.js';

/** What the execution believes after its process has stood still for so many milliseconds. */
function afterSleeping(milliseconds: number, heartbeatTimeoutMs: number) {
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs });
  return environment.run(async (): Promise<Interruption | null> => {
    using execution = new Execution(FAILED_ONCE);
    execution.beat({});
    // Nothing else may run meanwhile, as in a process that was stopped.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    return execution.interruption;
  });
}

describe('an execution', () => {
  it('takes itself for timed out when it slept for longer than its heartbeat time-out', async () => {
    expect(await afterSleeping(300, 100)).toBe('gone');
  });

  it('continues after a shorter sleep', async () => {
    expect(await afterSleeping(50, 60_000)).toBe(null);
  });
});
