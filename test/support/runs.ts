/** The runs that a job has had, as Temporal's list has them: newest first. */
import type { World } from './world.js';

export interface RunOfChain {
  run_id: string;
  status: string;
  events: number;
  bytes: number;
}

export async function runsOf({ client }: World, jobId: string): Promise<RunOfChain[]> {
  const runs: RunOfChain[] = [];
  const query = `WorkflowId = '${jobId}'`;
  for await (const { runId, status, historyLength, historySize } of client.workflow.list({
    query,
  })) {
    const size = { events: historyLength, bytes: historySize ?? 0 };
    runs.push({ run_id: runId, status: status.name, ...size });
  }
  return runs;
}
