/** `npm run temporal` as a person stops it: every way is one graceful stop, and nothing is left. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../../src/http/ports.js';
import { processesWith, startProcess } from '../support/processes.js';
import type { RunningProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

const WAYS: [string, (process: RunningProcess) => void][] = [
  ['SIGTERM to npm alone', (npm) => npm.signal('SIGTERM')],
  ['SIGINT to npm alone, twice', (npm) => [1, 2].forEach(() => npm.signal('SIGINT'))],
  ['SIGINT to the whole group', (npm) => npm.signalGroup('SIGINT')],
  ['SIGTERM to the whole group, twice', (npm) => [1, 2].forEach(() => npm.signalGroup('SIGTERM'))],
];

async function start() {
  const { path: folder, remove } = testFolder('signals');
  onTestFinished(remove);
  const [port, uiPort] = (await freePorts('127.0.0.1', 2)) as [number, number];
  const npm = startProcess(['npm', 'run', 'temporal'], {
    env: { DATA_DIR: folder, TEMPORAL_PORT: String(port), TEMPORAL_UI_PORT: String(uiPort) },
  });
  await npm.waitFor(/Web UI:/);
  return { npm, folder };
}

const nothingLeft = (folder: string) =>
  eventually('no process with that database', () => {
    const left = processesWith(folder);
    return Promise.resolve({ done: left.length === 0, value: left });
  });

describe('npm run temporal', () => {
  it.each(WAYS)('stops once and completely on %s', async (_way, stop) => {
    const { npm, folder } = await start();
    expect(processesWith(folder)).not.toEqual([]);
    stop(npm);
    expect(await npm.exit()).toBe(0);
    expect(processesWith(folder)).toEqual([]);
  });

  it('leaves nothing running when its whole group is killed', async () => {
    const { npm, folder } = await start();
    await npm.killGroup();
    await nothingLeft(folder);
  });

  it.each([
    ['TEMPORAL_PORT', 'seven', /^TEMPORAL_PORT: expected a number .* got "seven"\.$/m],
    ['DATA_DIR', '/dev/null/data', /^DATA_DIR: expected a folder/m],
    ['TEMPORAL_CLI', '/nowhere', /^TEMPORAL_CLI: expected the path .* got "\/nowhere"\.$/m],
  ])('answers a bad %s with one line and exit code 2', async (name, value, line) => {
    await using command = startProcess(['node', 'setup/run.mjs', 'temporal'], {
      env: { [name]: value },
    });
    expect(await command.exit()).toBe(2);
    expect(command.stderr).toMatch(line);
    expect(command.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a command it does not know', async () => {
    await using command = startProcess(['node', 'setup/run.mjs', 'sing']);
    expect(await command.exit()).toBe(2);
    expect(command.stderr).toMatch(/^expected one of generate, start, .* got "sing"\.$/m);
  });
});
