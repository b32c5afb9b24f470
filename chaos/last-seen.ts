/** Collects what is known of a job that did not end, before its stack is removed. Never fails. */
import { Client } from '@temporalio/client';
import { deadline } from '../src/adapters/network/deadline.js';
import { storedPayloads } from '../src/adapters/storage/payload-files.js';
import { connectWhenNeeded } from '../src/adapters/temporal/connection.js';
import type { Job } from '../src/domain/job/job.schema.js';
import { Driver } from './driver.js';
import { keepHistory, wholeHistory } from './replays.js';
import type { StackToAudit } from './stack-to-audit.js';

const LIMIT = 15_000;
/** Events of the history. */
const LAST = 25;

export async function lastSeen(stack: StackToAudit, jobId: string): Promise<string> {
  const seen = await Promise.all([byApi(stack, jobId), byTemporal(stack, jobId)]);
  return [...seen, ...stack.processes.map(({ name, lastOutput }) => `${name}: ${lastOutput}`)].join(
    '\n  ',
  );
}

async function byApi(stack: StackToAudit, jobId: string): Promise<string> {
  using limit = deadline(LIMIT);
  const driver = new Driver(stack.api_url, limit.signal, { key: stack.api_key });
  const { body } = await driver.ask('GET', `/v1/jobs/${jobId}`).catch(() => ({ body: null }));
  const job = body as (Job & { stale?: true }) | null;
  const clips = job?.clips.map(({ clip_index, status, attempt, error }) => [
    clip_index,
    status,
    attempt,
    error,
  ]);
  return JSON.stringify([job?.status, job?.stale === true ? 'stale' : 'asked', clips]);
}

async function byTemporal({ config, store }: StackToAudit, jobId: string): Promise<string> {
  const connection = connectWhenNeeded({ address: config.temporal.address });
  try {
    const client = new Client({
      connection,
      dataConverter: storedPayloads(store),
    });
    return await client.withDeadline(Date.now() + LIMIT, async () => {
      const handle = client.workflow.getHandle(jobId);
      const { raw } = await handle.describe();
      const history = await wholeHistory(handle, store);
      const { events } = history;
      // The whole history, for a replay: the stack is removed next.
      const file = await keepHistory(jobId, history);
      const tail = (events ?? []).slice(-LAST).map((event) => {
        const { message } = event.workflowTaskFailedEventAttributes?.failure ?? {};
        const name = Object.entries(event).find(
          ([key, value]) => key.endsWith('EventAttributes') && value,
        )?.[0];
        return `${String(event.eventId)} ${String(name)}${message == null ? '' : ` (${message})`}`;
      });
      const pending = JSON.stringify([raw.pendingWorkflowTask, raw.pendingActivities], plain);
      return `pending: ${pending.slice(0, 3_000)}\n  history (${file}): ${tail.join(', ')}`;
    });
  } catch (error) {
    return `Temporal: ${String(error)}`;
  } finally {
    await connection.close();
  }
}

/** Protobuf's numbers and bytes, as JSON has them. */
const plain = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;
