/**
 * Replays the history of every workflow run of a chaos run. A workflow that is not deterministic would get stuck at its
 * next replay, even if its job ended well this time.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { temporal } from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { fillIn, storedPayloads } from '../src/adapters/storage/payload-files.js';
import { connectTemporal } from '../src/adapters/temporal/connection.js';
import type { Store } from '../src/adapters/storage/store.js';
import { bundlePath } from '../src/worker.js';
import type { StackToAudit } from './stack-to-audit.js';
import { finding } from './evidence.js';
import type { Finding } from './evidence.js';

type History = temporal.api.history.v1.IHistory;

interface Run {
  job_id: string;
  run_id: string;
  history: History;
}

/** A finding for each run that does not replay, whose history is kept; and how many runs there were. */
export async function replayFindings(
  runs: AsyncIterable<Run> | Iterable<Run>,
): Promise<{ findings: Finding[]; runs: number }> {
  quiet();
  const findings: Finding[] = [];
  let count = 0;
  for await (const { job_id, run_id, history } of runs) {
    count += 1;
    try {
      await Worker.runReplayHistory({ workflowBundle: { codePath: bundlePath } }, history, job_id);
    } catch (error) {
      const file = await keepHistory(`${job_id}-${run_id}`, history);
      const message = `${job_id} (run ${run_id}) does not replay (${file}): ${String(error)}`;
      findings.push(finding('diverged', message));
    }
  }
  return { findings, runs: count };
}

let isQuiet = false;
/** Once a process. A failure is a finding, so the SDK need not log it. */
function quiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
}

export async function* runsOf({
  config: { temporal },
  store,
}: Pick<StackToAudit, 'config' | 'store'>): AsyncGenerator<Run> {
  const connection = await connectTemporal({ address: temporal.address });
  try {
    const client = new Client({
      connection,
      dataConverter: storedPayloads(store),
    });
    for await (const { workflowId, runId } of client.workflow.list()) {
      const handle = client.workflow.getHandle(workflowId, runId);
      yield { job_id: workflowId, run_id: runId, history: await wholeHistory(handle, store) };
    }
  } finally {
    await connection.close();
  }
}

/** With its offloaded payloads, so that it replays anywhere. */
export async function wholeHistory(handle: WorkflowHandle, store: Store): Promise<History> {
  return (
    await fillIn(storedPayloads(store), {
      history: await handle.fetchHistory(),
    })
  ).history;
}

/** Writes a history to a file that the replay tests can read. */
export async function keepHistory(name: string, history: History): Promise<string> {
  const file = path.join(tmpdir(), `chaos-history-${name}.json`);
  await writeFile(file, historyToJSON(history));
  return file;
}
