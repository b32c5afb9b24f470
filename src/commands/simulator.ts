/** `npm run simulator`: the server that plays Replicate, alone, in the foreground. */
import { loadConfig, requireWritable } from '../config.js';
import { portAsSet } from '../http/ports.js';
import { createLogger, reportsTo } from '../logging/logger.js';
import { startSimulator } from '../simulator/index.js';
import { parseSwitches } from '../terminal/arguments.js';
import { runUntilSignal } from './process.js';

export async function main(argv: string[]): Promise<number> {
  const parsed = parseSwitches(argv, []);
  if (!parsed.ok) {
    console.error(`npm run simulator: ${parsed.message}`);
    return 2;
  }
  return runUntilSignal(async () => {
    const { simulator, api, data_dir, catalogue, log_level } = loadConfig();
    requireWritable(data_dir);
    const { host, port, speed } = simulator;
    await portAsSet({ variable: 'SIMULATOR_PORT', host, port });
    const running = await startSimulator({
      host,
      allowed_hosts: [...api.allowed_hosts, host],
      port,
      speed,
      data_dir,
      catalogue,
      log: reportsTo(createLogger({ level: log_level })),
    });
    console.log(`Replicate SIMULATOR at ${running.url}, ${String(speed)} times as fast.`);
    console.log(`No model is called and nothing is paid. Its ledger: ${running.control_url}/stats`);
    return running;
  });
}
