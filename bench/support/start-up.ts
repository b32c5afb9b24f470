/** `npm run generate` as a person starts it, up to the first clip that is paid for. */
import path from 'node:path';
import { freePorts } from '../../src/http/ports.js';
import { startProcess } from '../../test/support/processes.js';
import { timed } from './figures.js';

const COMMAND = ['npm', 'run', '--silent', 'generate', '--', '--json'] as const;

/** Seconds. In a folder where it has run before, it is a second run. */
export async function toFirstClip(folder: string): Promise<number> {
  const [api, temporal, ui, simulator] = (await freePorts('127.0.0.1', 4)).map(String);
  const env = {
    PORT: api ?? '',
    TEMPORAL_PORT: temporal ?? '',
    TEMPORAL_UI_PORT: ui ?? '',
    SIMULATOR_PORT: simulator ?? '',
    DATA_DIR: path.join(folder, 'data'),
  };
  const { seconds } = await timed(async () => {
    await using command = startProcess([...COMMAND, '--out', path.join(folder, 'out')], { env });
    await command.waitFor(/"type":"clip\.submitted"/);
  });
  return seconds;
}
