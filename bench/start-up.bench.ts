/** From `npm run generate` to the first clip that is paid for, on a machine that is set up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startProcess } from '../test/support/processes.js';
import { once, report, timed } from './support/figures.js';
import { toFirstClip } from './support/start-up.js';

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
