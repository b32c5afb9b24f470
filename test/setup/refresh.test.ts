/** What a killed server may lose is made anew. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { refreshTasks } from '../../src/temporal-refresh.js';
import { WORKFLOW_TYPE } from '../../src/workflows/contract.js';
import { eventually } from '../support/eventually.js';

describe('the repair of a restarted server', () => {
  const address = inject('temporalAddress');
  let connection: Connection;
  beforeAll(async () => (connection = await Connection.connect({ address })));
  afterAll(() => connection.close());

  it('is understood by the server, for every job that runs', async () => {
    const client = new Client({ connection });
    const workflowId = `refresh-${randomUUID()}`;
    const handle = await client.workflow.start(WORKFLOW_TYPE, {
      taskQueue: workflowId,
      workflowId,
      args: [{}],
    });
    const refreshed = await eventually('the list to know the job', async () => {
      const { count } = await client.workflow.count(`WorkflowId = '${workflowId}'`);
      return { done: count > 0, value: await refreshTasks(address, 'default') };
    });
    expect(refreshed).toBeGreaterThan(0);
    await handle.terminate();
  });
});
