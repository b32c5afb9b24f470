/**
 * What a person can do for a job whose history no worker replays any more, with a real server and real workers. The
 * history is put out of order by a release that is not ours: it waits where the right one stores.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';
import { bundlePath } from '../../src/worker.js';
import { WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { withSideQueues, GOOD, realServer } from '../support/played.js';

const code = readFileSync(bundlePath, 'utf8');
const AN_HOUR = 3_600;
const wrongCode = code.replace(
  'const{storeClip}=',
  `await new Promise((go) => setTimeout(go, ${String(AN_HOUR * 1000)})); const { storeClip } =`,
);

type Events = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events'];

/** The history once it has what is looked for. */
const historyWith = <T>(
  handle: WorkflowHandle,
  what: string,
  find: (events: NonNullable<Events>) => T | undefined,
) =>
  eventually(what, async () => {
    const found = find((await handle.fetchHistory()).events ?? []);
    return { done: found !== undefined, value: found as T };
  });

it('a reset to before the event that the error names gets the job on, and pays for nothing again', async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  expect(wrongCode).not.toBe(code);
  const server = await realServer(inject('temporalAddress'));
  const { client, nativeConnection: connection } = server;
  const taskQueue = `played-${randomUUID()}`;
  let paid = 0;
  const activities: typeof GOOD = {
    ...GOOD,
    generateClip(input) {
      paid += 1;
      return GOOD.generateClip(input);
    },
  };
  const workerWith = (text: string) =>
    Worker.create({
      connection,
      taskQueue,
      workflowBundle: { code: text },
      activities,
    });

  await withSideQueues(connection, taskQueue, activities, async () => {
    const wrong = await workerWith(wrongCode);
    const handle = await wrong.runUntil(async () => {
      const started = await client.workflow.start(WORKFLOW_TYPE, {
        taskQueue,
        workflowId: taskQueue,
        args: [planOf(['a'], { min_successful_clips: 1 })],
      });
      await historyWith(started, 'the wrong step in history', (events) =>
        events.find(
          ({ timerStartedEventAttributes: timer }) =>
            Number(timer?.startToFireTimeout?.seconds) === AN_HOUR,
        ),
      );
      // The next signal makes a worker replay it.
      await started.signal('pause');
      return started;
    });

    const right = await workerWith(code);
    await right.runUntil(async () => {
      await handle.signal('resume');
      const message = await historyWith(handle, 'the failed replay', (events) =>
        events
          .map(({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message)
          .find((said) => said?.includes('Nondeterminism')),
      );
      const named = Number(/id: (\d+)/.exec(message ?? '')?.[1]);
      const { events } = await handle.fetchHistory();
      const last = (events ?? []).findLast(
        (event) =>
          event.workflowTaskCompletedEventAttributes != null && Number(event.eventId) < named,
      );
      const { runId } = await client.workflowService.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: taskQueue },
        workflowTaskFinishEventId: last?.eventId ?? null,
        reason: 'its history is out of order',
        requestId: randomUUID(),
      });
      expect(await client.workflow.getHandle(taskQueue, runId).result()).toMatchObject({
        status: 'succeeded',
        successful_clips: 1,
      });
    });
  });
  expect(paid).toBe(1);
  await server.close();
});
