/** A job that was terminated, retried through an API as the page does it. */
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import { Run } from './world.js';
import type { World } from './world.js';

export async function terminateAndRetry(world: World, run: Run): Promise<Run> {
  const { workflowId } = run.handle;
  await run.handle.terminate('a mistake');
  const api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'error' } });
  const answer = await fetch(`${api.url}/v1/jobs/${workflowId}/retry`, { method: 'POST' });
  const text = await answer.text();
  await api.close();
  if (answer.status !== 202) throw new Error(`expected 202, got ${String(answer.status)}: ${text}`);
  return new Run(world.client.workflow.getHandle(workflowId));
}
