/** From `npm run generate` to the first clip that is paid for, on a machine that is set up. */
import { startProcess } from '../test/support/processes.js';
import { testFolder } from '../test/support/test-folder.js';
import { once, report, timed } from './support/figures.js';
import { toFirstClip } from './support/start-up.js';

async function bareNode(): Promise<number> {
  const { seconds } = await timed(() => startProcess(['node', '--eval', '0']).exit());
  return seconds;
}

once('generate', async () => {
  using folder = testFolder('start-up');
  const rows = [{ what: 'a Node process that does nothing', seconds: await bareNode() }];
  for (const what of ['first run, new data folder', 'second run']) {
    rows.push({ what: `${what}, to clip.submitted`, seconds: await toFirstClip(folder.path) });
  }
  report({ title: 'npm run generate to the first clip', rows, ratios: ['seconds'] });
});
