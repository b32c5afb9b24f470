/**
 * Replays what every run of a chaos run left behind: a job whose workflow took another turn than its history tells
 * would stand still at its next replay, also when it came to its end this time.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { connectTemporal } from '../adapters/temporal-connection.js';
import { bundlePath } from '../worker.js';
import { find } from './evidence.js';
import type { Finding } from './evidence.js';

type History = temporal.api.history.v1.IHistory;

export interface Run {
  job_id: string;
  run_id: string;
  history: History;
}

/** A finding for each run that does not replay; its history is kept. */
export async function replayFindings(runs: AsyncIterable<Run> | Iterable<Run>): Promise<Finding[]> {
  quiet();
  const findings: Finding[] = [];
  for await (const { job_id, run_id, history } of runs) {
    try {
      await Worker.runReplayHistory({ workflowBundle: { codePath: bundlePath } }, history, job_id);
    } catch (error) {
      const file = await keepHistory(`${job_id}-${run_id}`, history);
      const says = `${job_id} (run ${run_id}) does not replay (${file}): ${String(error)}`;
      findings.push(find('diverged', says));
    }
  }
  return findings;
}

let isQuiet = false;
/** Once a process. What fails is a finding; no need to say it twice. */
function quiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
}

export async function* runsOf(address: string): AsyncGenerator<Run> {
  const connection = await connectTemporal({ address });
  try {
    const { workflow } = new Client({ connection });
    for await (const { workflowId, runId } of workflow.list()) {
      const history = await workflow.getHandle(workflowId, runId).fetchHistory();
      yield { job_id: workflowId, run_id: runId, history };
    }
  } finally {
    await connection.close();
  }
}

/** Keeps a history when its server is gone, as a file that the replay tests can read. */
export async function keepHistory(name: string, history: History): Promise<string> {
  const file = path.join(tmpdir(), `chaos-history-${name}.json`);
  await writeFile(file, historyToJSON(history));
  return file;
}
