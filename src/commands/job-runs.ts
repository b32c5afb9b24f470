/** The runs of jobs that Temporal still has, for what removes jobs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import { storedPayloads } from '../adapters/storage/payload-files.js';
import type { Store } from '../adapters/storage/store.js';
import { withCodec } from '../adapters/temporal/data-converter.js';
import { isNotFound } from '../api/jobs/temporal-errors.js';
import { createJobs } from '../api/jobs/temporal-jobs.js';
import { CLOSED_QUERY } from '../api/jobs/temporal-rows.js';
import type { Config } from '../config.js';
import { WORKFLOW_TYPE } from '../contract/workflow.js';

export interface LastRun {
  run_id: string;
  /** Null while it runs. */
  closed_at: string | null;
}

export interface JobRuns {
  /** Null when Temporal has none. */
  last(jobId: string): Promise<LastRun | null>;
  /** Deletes the closed runs and resolves when Temporal has forgotten them. A run that has started meanwhile stays. */
  forget(jobId: string, last: LastRun): Promise<void>;
  /** Milliseconds that Temporal keeps closed runs; null when it does not say. */
  retention(): Promise<number | null>;
  /** When the first of all runs that began before `time` and that Temporal still has began; null when there is none. */
  firstBefore(time: number): Promise<number | null>;
}

const CALL = 10_000;
/** Milliseconds until a deleted run has to be gone, and between two looks. Measured: 30 ms; up to a minute for one that ended a moment ago. */
const GONE = { within: 150_000, interval: 100 };
/** Ids that can be part of a query. */
const PLAIN = /^[\w ./:@-]+$/;

interface Deps {
  connection: Connection;
  namespace: string;
  task_queue: string;
  store: Store;
  codec_keys?: Config['codec_keys'];
}

export function createJobRuns(deps: Deps): JobRuns {
  const { connection, namespace, store, codec_keys = [] } = deps;
  const jobs = createJobs(deps);
  // Rows of lists have memos, which may be encrypted.
  const dataConverter = withCodec(storedPayloads(store), codec_keys);
  const client = new Client({ connection, namespace, dataConverter });
  const call = <T>(work: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + CALL, work);

  async function last(jobId: string): Promise<LastRun | null> {
    const run = await jobs.find(jobId);
    return run === null ? null : { run_id: run.run_id, closed_at: run.closed_at };
  }

  /** A job that was retried has a closed run for each time. */
  async function closedRuns(jobId: string): Promise<string[]> {
    if (!PLAIN.test(jobId)) return [];
    const ids: string[] = [];
    const query = `${CLOSED_QUERY} AND WorkflowId = '${jobId}'`;
    for await (const { runId } of client.workflow.list({ query })) ids.push(runId);
    return ids;
  }

  return {
    last,

    async forget(jobId, { run_id }) {
      const runs = new Set([...(await closedRuns(jobId)), run_id]);
      for (const runId of runs) {
        const workflowExecution = { workflowId: jobId, runId };
        const deleted = call(() =>
          client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution }),
        );
        await deleted.catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      }
      for (let waited = 0; ; waited += GONE.interval) {
        const now = await last(jobId);
        if (now === null || !runs.has(now.run_id)) return;
        if (waited >= GONE.within) throw new Error('Temporal did not delete its run in time');
        await sleep(GONE.interval);
      }
    },

    async retention() {
      const { config } = await call(() => client.workflowService.describeNamespace({ namespace }));
      const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
      return seconds > 0 ? seconds * 1000 : null;
    },

    async firstBefore(time) {
      let first: number | null = null;
      const query = `WorkflowType = '${WORKFLOW_TYPE}' AND StartTime < '${new Date(time).toISOString()}'`;
      for await (const { startTime } of client.workflow.list({ query })) {
        first = Math.min(first ?? Infinity, startTime.getTime());
      }
      return first;
    },
  };
}
