/** Every job there is to know of: those that go on, from their workflows; those that are over, from DATA_DIR. */
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { storedPayloads } from '../adapters/payloads.js';
import { connectTemporal } from '../adapters/temporal-connection.js';
import type { Config } from '../config.js';
import type { Job } from '../domain/job.js';
import { progressQuery, WORKFLOW_TYPE } from '../workflows/contract.js';
import type { KnownJobs } from './orphan-search.js';

const CONNECT = 5_000;
const QUERY = 10_000;

/** Null when Temporal cannot be asked: then nobody knows which jobs go on. */
export async function knownJobs(config: Config): Promise<KnownJobs | null> {
  const ended = await storedJobs(config.data_dir);
  const going = await runningJobs(config);
  return going === null ? null : { ended, ...going };
}

async function storedJobs(dataDir: string): Promise<Job[]> {
  const folder = path.join(dataDir, 'jobs');
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(path.join(folder, name, 'job.json'), 'utf8').catch(() => null)),
  );
  return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as Job);
}

async function runningJobs({
  temporal,
  data_dir,
}: Config): Promise<Omit<KnownJobs, 'ended'> | null> {
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
        dataConverter: storedPayloads(data_dir),
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
