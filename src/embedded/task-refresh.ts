/**
 * A Temporal server that is killed may lose a task that its database still expects: the job then waits for ever for a task
 * that no worker gets (temporalio/temporal#459, #9118). This asks the server for its own repair, that of
 * `tdbg workflow refresh-tasks`: it generates the tasks of every running job again, and drops those already done.
 */
import { credentials, Client as GrpcClient, status } from '@grpc/grpc-js';
import { Client, defaultPayloadConverter } from '@temporalio/client';
import type { DataConverter } from '@temporalio/client';
import pRetry from 'p-retry';
import protobuf from 'protobufjs/minimal.js';
import { connectTemporal } from '../adapters/temporal/connection.js';
import { errorMessage } from '../domain/values/error-message.js';

const REFRESH = '/temporal.server.api.adminservice.v1.AdminService/RefreshWorkflowTasks';
const DEADLINE = 10_000;

/**
 * Refreshes every running workflow but those whose run is in `done`, and adds each to it: a second time would only generate the
 * same tasks twice. Rejects at the end when some could not be refreshed.
 */
export async function refreshTasks(
  address: string,
  namespace: string,
  done: Set<string>,
): Promise<void> {
  const connection = await connectTemporal({ address, connectTimeout: DEADLINE });
  const admin = new GrpcClient(address, credentials.createInsecure());
  try {
    const client = new Client({ connection, namespace, dataConverter: MEMOS_UNREAD });
    const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace });
    const failures: unknown[] = [];
    for await (const run of client.workflow.list({ query: `ExecutionStatus = 'Running'` })) {
      if (done.has(run.runId)) continue;
      try {
        await whenNotBusy(() => refresh(admin, namespaceInfo?.id ?? '', run));
        done.add(run.runId);
      } catch (error) {
        // The others need their refresh all the same.
        failures.push(error);
      }
    }
    if (failures.length === 0) return;
    const of = String(failures.length + done.size);
    throw new Error(
      `${String(failures.length)} of ${of} running jobs: ${errorMessage(failures[0])}`,
    );
  } finally {
    admin.close();
    await connection.close();
  }
}

/** The client reads the memo of every run that it lists, and this has no key for one that is encrypted. */
const MEMOS_UNREAD: DataConverter = {
  payloadCodecs: [
    {
      encode: (payloads) => Promise.resolve(payloads),
      decode: (payloads) =>
        Promise.resolve(payloads.map(() => defaultPayloadConverter.toPayload(null))),
    },
  ],
};

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
        // A job that has ended meanwhile needs no repair.
        if (error === null || error.code === status.NOT_FOUND) resolve();
        else reject(error);
      },
    );
  });
}

/** A workflow with many updates right now ("Workflow is busy") is refreshed a little later. */
const whenNotBusy = (refreshing: () => Promise<void>): Promise<void> =>
  pRetry(refreshing, {
    retries: 9,
    minTimeout: 300,
    factor: 1,
    shouldRetry: ({ error }) => 'code' in error && error.code === status.RESOURCE_EXHAUSTED,
  });
