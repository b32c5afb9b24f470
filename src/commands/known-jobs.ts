/** All known jobs: running ones from their workflows, ended ones from the store. */
import pLimit from 'p-limit';
import { Client } from '@temporalio/client';
import { openStore } from '../adapters/storage/open-store.js';
import { storedPayloads } from '../adapters/storage/payload-files.js';
import { objectsBelow, readText } from '../adapters/storage/store.js';
import type { Store } from '../adapters/storage/store.js';
import { withCodec } from '../adapters/temporal/data-converter.js';
import { connectTemporal } from '../adapters/temporal/connection.js';
import type { Config } from '../config.js';
import type { Job } from '../domain/job/job.schema.js';
import { progressQuery, WORKFLOW_TYPE } from '../contract/workflow.js';
import type { EndedJob, KnownJobs } from './orphan-search.js';

const CONNECT = 5_000;
const QUERY = 10_000;

/** Records that are read at the same time. */
const READS = 16;

/** Without the jobs that ended before `since`. Null when Temporal does not answer: which jobs run is unknown then. */
export async function knownJobs(config: Config, since: number): Promise<KnownJobs | null> {
  const store = await openStore(config);
  const ended = await storedJobs(store, since);
  const running = await runningJobs(config, store);
  return running === null ? null : { ended, ...running };
}

async function storedJobs(store: Store, since: number): Promise<EndedJob[]> {
  const keys: string[] = [];
  for await (const { key, modified_at } of objectsBelow(store, 'jobs/')) {
    if (key.endsWith('/job.json') && Date.parse(modified_at) >= since) keys.push(key);
  }
  const jobs = await pLimit(READS).map(keys, (key) => storedJob(store, key));
  return jobs.filter((job) => job !== null);
}

/** Null for a record that was removed meanwhile. */
async function storedJob(store: Store, key: string): Promise<EndedJob | null> {
  const text = await readText(store, key);
  if (text === null) return null;
  const { job_id, clips } = JSON.parse(text) as Job;
  const slim = clips.map(({ predictions }) => ({
    predictions: predictions.map(({ id }) => ({ id })),
  }));
  return { job_id, clips: slim };
}

async function runningJobs(
  { temporal, codec_keys }: Config,
  store: Store,
): Promise<Omit<KnownJobs, 'ended'> | null> {
  const running: Job[] = [];
  const silent: string[] = [];
  try {
    const connection = await connectTemporal({
      ...temporal.connection,
      connectTimeout: CONNECT,
    });
    try {
      const client = new Client({
        connection,
        namespace: temporal.namespace,
        dataConverter: withCodec(storedPayloads(store), codec_keys),
      });
      const query = [
        `WorkflowType = '${WORKFLOW_TYPE}'`,
        `TaskQueue = '${temporal.task_queue}'`,
        `ExecutionStatus = 'Running'`,
      ].join(' AND ');
      for await (const { workflowId } of client.workflow.list({ query })) {
        const job = await client
          .withDeadline(Date.now() + QUERY, () =>
            client.workflow.getHandle(workflowId).query(progressQuery),
          )
          .catch(() => null);
        if (job === null) silent.push(workflowId);
        else running.push(job);
      }
      return { running, silent };
    } finally {
      await connection.close();
    }
  } catch {
    return null;
  }
}
