/** `npm run temporal`: the embedded Temporal server alone, in the foreground. */
import { loadConfig } from '../config.js';
import { startTemporal } from '../embedded/temporal-server.js';
import { createLogger, reportsTo } from '../logging/logger.js';
import { runUntilSignal } from './process.js';

export const main = (): Promise<number> =>
  runUntilSignal(async () => {
    const config = loadConfig();
    console.log('Temporal: starting');
    const log = reportsTo(createLogger({ level: config.log_level }));
    const server = await startTemporal(config, { log });
    console.log(`Temporal: ${server.address}, namespace ${config.temporal.namespace}`);
    console.log(`Web UI:   ${server.ui_url}`);
    return server;
  });
