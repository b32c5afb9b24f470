/**
 * A Temporal server that is killed may lose a task that its database still counts on: the job then waits for ever for
 * a step that nobody hands out (temporalio/temporal#459, #9118). This asks the server for its own repair, the one of
 * `tdbg workflow refresh-tasks`: the tasks of every running job are made anew, and those already done are dropped.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { Client } from '@temporalio/client';
import protobuf from 'protobufjs/minimal.js';
import { connectTemporal } from '../adapters/temporal/connection.js';

const REFRESH = '/temporal.server.api.adminservice.v1.AdminService/RefreshWorkflowTasks';
const DEADLINE = 10_000;

/**
 * Every running workflow but those whose run is in `done`, where each that was refreshed is entered: twice would only
 * make the same tasks twice. Rejects at the end when one of them could not be.
 */
export async function refreshTasks(
  address: string,
  namespace: string,
  done: Set<string>,
): Promise<void> {
  const connection = await connectTemporal({ address, connectTimeout: DEADLINE });
  const admin = new GrpcClient(address, credentials.createInsecure());
  try {
    const client = new Client({ connection, namespace });
    const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace });
    const failures: unknown[] = [];
    for await (const run of client.workflow.list({ query: `ExecutionStatus = 'Running'` })) {
      if (done.has(run.runId)) continue;
      try {
        await whenNotBusy(() => refresh(admin, namespaceInfo?.id ?? '', run));
        done.add(run.runId);
      } catch (error) {
        // The others need it all the same.
        failures.push(error);
      }
    }
    if (failures.length === 0) return;
    const first = failures[0] instanceof Error ? failures[0].message : String(failures[0]);
    throw new Error(
      `${String(failures.length)} of ${String(failures.length + done.size)} running jobs: ${first}`,
    );
  } finally {
    admin.close();
    await connection.close();
  }
}

function refresh(
  admin: GrpcClient,
  namespaceId: string,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<void> {
  const execution = protobuf.Writer.create().uint32(10).string(workflowId).uint32(18).string(runId);
  // RefreshWorkflowTasksRequest: execution = 2, namespace_id = 3 (server 1.29 and 1.32).
  const request = protobuf.Writer.create().uint32(18).bytes(execution.finish());
  const bytes = Buffer.from(request.uint32(26).string(namespaceId).finish());
  const same = (value: Buffer): Buffer => value;
  return new Promise((resolve, reject) => {
    admin.makeUnaryRequest(
      REFRESH,
      same,
      same,
      bytes,
      { deadline: Date.now() + DEADLINE },
      (error) => {
        // A job that ended meanwhile needs no repair.
        if (error === null || error.code === NOT_FOUND) resolve();
        else reject(error);
      },
    );
  });
}
const NOT_FOUND = 5;

const TRIES = 10;
const PAUSE = 300;

/** A workflow with much to do right now ("Workflow is busy") has its turn a little later. */
async function whenNotBusy(work: () => Promise<void>): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      await work();
      return;
    } catch (error) {
      const isBusy = (error as { code?: unknown }).code === RESOURCE_EXHAUSTED;
      if (!isBusy || left <= 1) throw error;
      await sleep(PAUSE);
    }
  }
}
const RESOURCE_EXHAUSTED = 8;
