/** Terminates the workflow of a job from outside, as an operator does who takes it for broken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, WorkflowNotFoundError } from '@temporalio/client';
import { connectWhenNeeded } from '../src/adapters/temporal/connection.js';

const EVERY = 300;

/** Repeats the request until the server answers; true when it ended the workflow, or an unanswered request may have. */
export async function terminate(
  address: string,
  jobId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const connection = connectWhenNeeded({ address });
  try {
    const { workflow } = new Client({ connection });
    for (let mayBe = false; ; mayBe = true) {
      signal.throwIfAborted();
      try {
        await workflow.getHandle(jobId).terminate('chaos');
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return mayBe;
      }
      await sleep(EVERY, undefined, { signal });
    }
  } finally {
    await connection.close();
  }
}
