/** From `npm run generate` to the first clip that is paid for, on a machine that is set up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../src/ports.js';
import { startProcess } from '../test/support/processes.js';
import { once, report, timed } from './support/figures.js';

const COMMAND = ['npm', 'run', '--silent', 'generate', '--', '--json'] as const;

async function toFirstClip(folder: string): Promise<number> {
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

async function bareNode(): Promise<number> {
  const { seconds } = await timed(() => startProcess(['node', '--eval', '0']).exit());
  return seconds;
}

once('generate', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'start-up-'));
  try {
    const rows = [{ what: 'a Node process that does nothing', seconds: await bareNode() }];
    for (const what of ['first run, new data folder', 'second run']) {
      rows.push({ what: `${what}, to clip.submitted`, seconds: await toFirstClip(folder) });
    }
    report({ title: 'npm run generate to the first clip', rows, ratios: ['seconds'] });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
