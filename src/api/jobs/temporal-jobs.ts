/**
 * The port by Temporal's client, which no other file of the API uses. Every call has a deadline, and every answer becomes a
 * value or one of the port's errors.
 */
import { Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Connection, WorkflowClientInterceptor } from '@temporalio/client';
import {
  walkDescribeWorkflowExecutionResponse,
  walkListWorkflowExecutionsResponse,
} from '@temporalio/common/lib/internal-non-workflow/payload-visitor.js';
import proto from '@temporalio/proto';
import { fillIn, storedPayloads } from '../../adapters/storage/payload-files.js';
import type { Store } from '../../adapters/storage/store.js';
import { withCodec } from '../../adapters/temporal/data-converter.js';
import { decoded } from '../../adapters/temporal/decoded-answers.js';
import { pinnedTo, takers } from '../../adapters/temporal/worker-versions.js';
import type { Config } from '../../config.js';
import { attributesOf } from '../../domain/job/visibility.js';
import {
  clipsQuery,
  eventsQuery,
  paidTaskQueue,
  progressQuery,
  WORKFLOW_TYPE,
} from '../../contract/workflow.js';
import { TemporalAway, RunNeverBegan, WorkerAway } from './jobs-port.js';
import type { Delivered, Jobs, HistoryToken, Run, Signal, StartRequest } from './jobs-port.js';
import { SearchAttributeCheck } from './search-attribute-check.js';
import {
  isInvalid,
  isLate,
  isNotFound,
  isOfUnbegunRun,
  isUnanswered,
  translate,
} from './temporal-errors.js';
import {
  ATTRIBUTES_QUERY,
  CLOSED_QUERY,
  runEndOf,
  idsQuery,
  pendingActivity,
  recordedInput,
  RUN_STATUS,
  RUNNING_QUERY,
  runningQuery,
  visibleRun,
} from './temporal-rows.js';

interface Settings {
  connection: Connection;
  namespace: string;
  task_queue: string;
  store: Store;
  codec_keys?: Config['codec_keys'];
  interceptors?: WorkflowClientInterceptor[];
}

/** A query needs a worker, which may have to replay first; a long poll is answered within 20 s. */
const CALL_MS = 5_000;
const QUERY_MS = 3_000;
const LONG_POLL_MS = 35_000;
const POLLED_WITHIN_MS = 60_000;
/** A workflow that has a task to do is not queried for this long: its answer changes with the task. */
const TASK_MS = 1_000;

const { EventType, HistoryEventFilterType: Filter, TaskQueueType } = proto.temporal.api.enums.v1;
/** A signal may come between two runs of a job that continues as new. */
const MAX_TRIES = 5;

export function createJobs({
  connection,
  namespace,
  task_queue,
  store,
  codec_keys = [],
  interceptors = [],
}: Settings): Jobs {
  const dataConverter = withCodec(storedPayloads(store), codec_keys);
  const client = new Client({
    connection,
    namespace,
    dataConverter,
    interceptors: { workflow: interceptors },
  });
  const service = client.workflowService;

  const call = <T>(work: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + CALL_MS, work).catch((error: unknown) => {
      throw translate(error);
    });

  /** Null when Temporal does not know the job. */
  const ifFound = <T>(work: () => Promise<T>): Promise<T | null> =>
    call(work).catch((error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    });

  const query = <T>(work: () => Promise<T>): Promise<T> =>
    client.withDeadline(Date.now() + QUERY_MS, work).catch((error: unknown) => {
      if (isOfUnbegunRun(error)) {
        throw new RunNeverBegan('the run was closed before it began', { cause: error });
      }
      throw isUnanswered(error)
        ? new WorkerAway('no worker answered in time', { cause: error })
        : translate(error);
    });

  const history = (jobId: string, runId: string, filter: number) =>
    ifFound(async () => {
      const answer = await service.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: jobId, runId },
        historyEventFilterType: filter,
        maximumPageSize: 1,
        skipArchival: true,
      });
      return fillIn(dataConverter, answer);
    });

  const list = (query: string, pageSize: number, token: Uint8Array | null = null) =>
    call(async () => {
      const answer = await service.listWorkflowExecutions({
        namespace,
        pageSize,
        query,
        ...(token === null ? {} : { nextPageToken: token }),
      });
      return decoded(dataConverter, answer, walkListWorkflowExecutionsResponse, {
        keepUnreadable: true,
      });
    });

  const attributes = new SearchAttributeCheck(() =>
    call(() => client.workflow.count(ATTRIBUTES_QUERY)).then(
      () => true,
      (error: unknown) => {
        if (isInvalid(error)) return false;
        throw error;
      },
    ),
  );

  async function find(jobId: string): Promise<Run | null> {
    const found = await ifFound(async () => {
      const description = await client.workflow.getHandle(jobId).describe();
      await decoded(dataConverter, description.raw, walkDescribeWorkflowExecutionResponse);
      return description;
    });
    if (found?.type !== WORKFLOW_TYPE) return null;
    return {
      job_id: jobId,
      run_id: found.runId,
      status: RUN_STATUS[found.status.name] ?? 'running',
      started_at: found.startTime.toISOString(),
      closed_at: found.closeTime?.toISOString() ?? null,
      is_canceling: found.raw.workflowExtendedInfo?.cancelRequested ?? false,
      pinned_to: pinnedTo(found.raw.workflowExecutionInfo?.versioningInfo),
      pending: (found.raw.pendingActivities ?? []).map(pendingActivity),
    };
  }

  /** Temporal answers "not found" for a finished job too. */
  async function deliver(jobId: string, work: () => Promise<unknown>): Promise<Delivered> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const sent = await ifFound(() => work().then(() => true));
      if (sent !== null) return 'delivered';
      const run = await find(jobId);
      if (run === null) return 'missing';
      if (run.closed_at !== null) return 'over';
    }
    throw new TemporalAway('the job is just continuing in a new run');
  }

  /** Processes that polled a queue lately, of those that take tasks of jobs of this release. */
  async function pollers(
    name: string,
    taskQueueType: number,
    version: string | null = null,
  ): Promise<number> {
    const answer = await call(() =>
      service.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType }),
    );
    const since = Date.now() - POLLED_WITHIN_MS;
    const recent = takers(answer, version).filter(({ seen_at }) => seen_at >= since);
    return new Set(recent.map(({ identity }) => identity)).size;
  }

  return {
    find,

    async start(request) {
      const start = async (hasAttributes: boolean): Promise<{ run_id: string } | null> => {
        const options = startOptions(task_queue, request, hasAttributes);
        try {
          const handle = await call(() => client.workflow.start(WORKFLOW_TYPE, options));
          return { run_id: handle.firstExecutionRunId };
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
          if (!hasAttributes || !isInvalid(error)) throw error;
          attributes.markMissing(); // they were removed since
          return start(false);
        }
      };
      return start(await attributes.exist());
    },

    input: async (jobId, runId) =>
      recordedInput(
        (await history(jobId, runId, Filter.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT))?.history
          ?.events?.[0],
      ),

    runEnd: async (jobId, runId) =>
      runEndOf(
        (
          await history(jobId, runId, Filter.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
        )?.history?.events?.at(-1),
      ),

    progress: (jobId, runId) =>
      query(() => client.workflow.getHandle(jobId, runId).query(progressQuery)),

    clips: (jobId, runId, from) =>
      query(() => client.workflow.getHandle(jobId, runId).query(clipsQuery, from)),

    events: (jobId, runId, after) =>
      query(() => client.workflow.getHandle(jobId, runId).query(eventsQuery, after)),

    async waitForHistory(jobId, runId, token, signal) {
      using each = childOf(signal);
      const poll = (nextPageToken: HistoryToken | null, timeout: number) =>
        client.withDeadline(Date.now() + timeout, () =>
          client.withAbortSignal(each.signal, () =>
            service.getWorkflowExecutionHistory({
              namespace,
              execution: { workflowId: jobId, runId },
              waitNewEvent: true,
              historyEventFilterType: Filter.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
              skipArchival: true,
              ...(nextPageToken === null ? {} : { nextPageToken }),
            }),
          ),
        );
      for (let at = token, timeout = LONG_POLL_MS; ; timeout = TASK_MS) {
        try {
          const { nextPageToken: next, history } = await poll(at, timeout);
          if (next.length === 0) return null;
          if (token === null || hasCompletedTask(history?.events ?? [])) return next;
          at = next;
        } catch (error) {
          if (timeout === TASK_MS && isLate(error)) return at;
          throw translate(error);
        }
      }
    },

    signal: (jobId, signal) =>
      deliver(jobId, () => client.workflow.getHandle(jobId).signal(signal.name, ...argsOf(signal))),

    cancel: (jobId) => deliver(jobId, () => client.workflow.getHandle(jobId).cancel()),

    async listRunning({ limit, ...query }) {
      const { executions } = await list(runningQuery(query, await attributes.exist()), limit);
      return executions.map(visibleRun);
    },

    async runningAmong(jobIds) {
      const { query, others } = idsQuery(jobIds);
      const answer = query === null ? null : await list(query, jobIds.length);
      const running = new Set((answer?.executions ?? []).map((row) => visibleRun(row).job_id));
      for (const id of others) if ((await find(id))?.closed_at === null) running.add(id);
      return running;
    },

    async listClosed(limit, token) {
      const { executions, nextPageToken } = await list(CLOSED_QUERY, limit, token);
      const next = nextPageToken.length === 0 ? null : nextPageToken;
      return { runs: executions.map(visibleRun), next };
    },

    async running() {
      const { count } = await call(() => client.workflow.count(RUNNING_QUERY));
      return count;
    },

    workers: async () => ({
      workers: await pollers(task_queue, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    }),

    renderWorkers: (version) =>
      pollers(paidTaskQueue(task_queue), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, version),
  };
}

/**
 * How long a worker may take for a workflow task, which includes a replay of the run when it is not cached. The server's default of
 * 10 s is short on a busy machine; a task that a killed worker had taken waits for as long.
 */
const WORKFLOW_TASK_TIMEOUT = '20s';

const startOptions = (taskQueue: string, request: StartRequest, hasAttributes: boolean) => ({
  workflowId: request.job_id,
  taskQueue,
  workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
  args: [request.plan, ...(request.previous ? [{ previous: request.previous }] : [])],
  workflowIdConflictPolicy: 'FAIL' as const,
  workflowIdReusePolicy: request.previous
    ? ('ALLOW_DUPLICATE' as const)
    : ('REJECT_DUPLICATE' as const),
  memo: { ...request.memo },
  ...(hasAttributes ? { typedSearchAttributes: attributesOf(request.memo.job) } : {}),
  staticSummary: request.summary,
  staticDetails: request.details,
});

/** No event at all: the long poll has timed out at the server. */
const hasCompletedTask = (events: readonly { eventType?: number | null }[]): boolean =>
  events.length === 0 ||
  events.some(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED);

function argsOf({ name: _, ...argument }: Signal): unknown[] {
  return Object.keys(argument).length === 0 ? [] : [argument];
}

/** A signal for one call: the client never removes its listener, and a watcher makes many calls. */
function childOf(parent: AbortSignal): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  parent.addEventListener('abort', abort, { once: true });
  if (parent.aborted) abort();
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      parent.removeEventListener('abort', abort);
    },
  };
}
