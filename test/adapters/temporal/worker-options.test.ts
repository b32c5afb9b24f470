/** What the settings of a worker become. */
import { expect, it } from 'vitest';
import {
  executionsOf,
  sharedOptions,
  workflowTasksOf,
} from '../../../src/adapters/temporal/worker-options.js';
import { graceOf } from '../../../src/commands/process.js';
import { loadConfig } from '../../../src/config.js';

const workerOf = (env: Record<string, string> = {}) => loadConfig(env).worker;

it('one number scales the executions of all queues, and none is left without', () => {
  const usual = { main: 20, paid: 200, hold: 200, refs: 200, save: 400, ends: 50, look: 50 };
  expect(executionsOf(workerOf().slots)).toEqual(usual);
  const few = executionsOf(workerOf({ WORKER_SLOTS: '4' }).slots);
  expect(few).toMatchObject({ paid: 4, hold: 4, save: 8 });
  expect(Math.min(...Object.values(few))).toBeGreaterThanOrEqual(4);
});

it('a small cache of workflows takes no more workflow tasks than it holds', () => {
  expect([10, 200].map(workflowTasksOf)).toEqual([10, 40]);
});

it('a worker without a version has no deployment, and one with a version pins its jobs', () => {
  expect(sharedOptions(workerOf())).not.toHaveProperty('workerDeploymentOptions');
  const env = { TEMPORAL_DEPLOYMENT_NAME: 'clips', TEMPORAL_BUILD_ID: '1.2.0' };
  expect(sharedOptions(workerOf(env)).workerDeploymentOptions).toEqual({
    useWorkerVersioning: true,
    version: { deploymentName: 'clips', buildId: '1.2.0' },
    defaultVersioningBehavior: 'PINNED',
  });
});

it('a command waits 27 s for its parts, and longer only for a worker that may take longer', () => {
  const graces = ['5', '25', '120'].map((WORKER_GRACE) => graceOf(loadConfig({ WORKER_GRACE })));
  expect(graces).toEqual([27_000, 27_000, 122_000]);
});
