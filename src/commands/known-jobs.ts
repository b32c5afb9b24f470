/** All known jobs: running ones from their workflows, ended ones from DATA_DIR. */
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { Client } from '@temporalio/client';
import { storedPayloads } from '../adapters/storage/payload-files.js';
import { connectTemporal } from '../adapters/temporal/connection.js';
import type { Config } from '../config.js';
import type { Job } from '../domain/job/job.schema.js';
import { progressQuery, WORKFLOW_TYPE } from '../contract/workflow.js';
import type { EndedJob, KnownJobs } from './orphan-search.js';

const CONNECT = 5_000;
const QUERY = 10_000;

/** Files that are read at the same time. */
const READS = 16;

/** Without the jobs that ended before `since`. Null when Temporal does not answer: which jobs run is unknown then. */
export async function knownJobs(config: Config, since: number): Promise<KnownJobs | null> {
  const ended = await storedJobs(config.data_dir, since);
  const running = await runningJobs(config);
  return running === null ? null : { ended, ...running };
}

async function storedJobs(dataDir: string, since: number): Promise<EndedJob[]> {
  const folder = path.join(dataDir, 'jobs');
  const names = await readdir(folder).catch(() => []);
  const jobs = await pLimit(READS).map(names, (name) =>
    storedJob(path.join(folder, name, 'job.json'), since),
  );
  return jobs.filter((job) => job !== null);
}

async function storedJob(file: string, since: number): Promise<EndedJob | null> {
  try {
    if ((await stat(file)).mtimeMs < since) return null;
    const { job_id, clips } = JSON.parse(await readFile(file, 'utf8')) as Job;
    const slim = clips.map(({ predictions }) => ({
      predictions: predictions.map(({ id }) => ({ id })),
    }));
    return { job_id, clips: slim };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
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
