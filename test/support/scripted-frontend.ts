/**
 * A Temporal frontend that says what a test has written down, for orders of events that a real server reaches once in
 * a thousand crashes. It speaks gRPC to the real worker, gives out workflow tasks and notes what comes back.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { temporal } from '@temporalio/proto';

const v1 = temporal.api.workflowservice.v1;

export type Task = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
export type Completed = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Failed = temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;
type Answered = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;

/** A queue whose reader waits for the next item. */
class Mailbox<T> {
  readonly #kept: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  put(item: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#kept.push(item);
    else next(item);
  }

  take(): Promise<T> {
    const item = this.#kept.shift();
    return item === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(item);
  }
}

export interface ScriptedFrontend extends AsyncDisposable {
  address: string;
  give(task: Task): void;
  /** The next completed workflow task. */
  completed(): Promise<Completed>;
  /** The next failed workflow task. */
  failed(): Promise<Failed>;
  /** The next answer to a query. */
  answered(): Promise<Answered>;
}

export async function scriptedFrontend(): Promise<ScriptedFrontend> {
  const tasks = new Mailbox<Task>();
  const completed = new Mailbox<Completed>();
  const failed = new Mailbox<Failed>();
  const answered = new Mailbox<Answered>();
  const never = new Promise<never>(() => undefined);

  const verbs: Record<string, (request: never) => Promise<object>> = {
    GetSystemInfo: () =>
      Promise.resolve({ serverVersion: '1.29.0', capabilities: { sdkMetadata: true } }),
    DescribeNamespace: () =>
      Promise.resolve({ namespaceInfo: { name: 'default', id: 'default', state: 1 } }),
    PollWorkflowTaskQueue: ({
      taskQueue,
    }: {
      taskQueue: { kind: temporal.api.enums.v1.TaskQueueKind };
    }) =>
      taskQueue.kind === temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_STICKY
        ? never
        : tasks.take(),
    RespondWorkflowTaskCompleted: (request: Completed) => {
      completed.put(request);
      return Promise.resolve({});
    },
    RespondQueryTaskCompleted: (request: Answered) => {
      answered.put(request);
      return Promise.resolve({});
    },
    RespondWorkflowTaskFailed: (request: Failed) => {
      failed.put(request);
      return Promise.resolve({});
    },
    ShutdownWorker: () => Promise.resolve({}),
  };

  const server = new Server();
  server.addService(
    Object.fromEntries(Object.keys(verbs).map((verb) => [verb, definitionOf(verb)])),
    Object.fromEntries(Object.entries(verbs).map(([verb, answer]) => [verb, handler(answer)])),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${String(port)}`,
    give(task) {
      tasks.put(task);
    },
    completed: () => completed.take(),
    failed: () => failed.take(),
    answered: () => answered.take(),
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

interface Message {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

function definitionOf(verb: string) {
  const types = v1 as unknown as Record<string, Message>;
  const [request, response] = [types[`${verb}Request`], types[`${verb}Response`]];
  if (request === undefined || response === undefined) throw new Error(`no such verb: ${verb}`);
  const serialize = (type: Message) => (value: object) => Buffer.from(type.encode(value).finish());
  const deserialize = (type: Message) => (bytes: Buffer) => type.decode(bytes);
  return {
    path: `/temporal.api.workflowservice.v1.WorkflowService/${verb}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize(request),
    requestDeserialize: deserialize(request),
    responseSerialize: serialize(response),
    responseDeserialize: deserialize(response),
  };
}

const handler =
  (answer: (request: never) => Promise<object>): handleUnaryCall<object, object> =>
  (call, reply) => {
    answer(call.request as never).then(
      (response) => {
        reply(null, response);
      },
      (error: unknown) => {
        reply(error as Error);
      },
    );
  };
