/** `npm run api`: the HTTP API and the page alone, in the foreground. */
import '../settings/small-heap.js';
import { loadConfig, makeDataDir } from '../config.js';
import { runUntilSignal } from './process.js';

export const main = (): Promise<number> =>
  runUntilSignal(async () => {
    const { startApi } = await import('../api/server.js'); // small-heap.ts
    const config = loadConfig();
    makeDataDir(config.data_dir);
    const api = await startApi(config);
    const renders = config.replicate.simulated ? 'the simulator (nothing is paid)' : 'Replicate';
    console.log(`Page:     ${api.url}/`);
    console.log(`API:      ${api.url}/docs`);
    console.log(`Temporal: ${config.temporal.address}, task queue ${config.temporal.task_queue}`);
    console.log(`Renders:  ${renders}`);
    return api;
  });
