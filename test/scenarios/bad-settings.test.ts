/**
 * A bad setting, and every command as a real process: one line that names the variable, exit 2, before anything is waited
 * for. No Temporal runs at the address given here: a command that went to look for it would wait for ever.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../src/http/ports.js';
import { ROOT, startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

let folder = '';
let env: Record<string, string> = {};
beforeAll(async () => {
  const own = testFolder('settings');
  folder = own.path;
  const [nowhere, port, simulator] = (await freePorts('127.0.0.1', 3)).map(String);
  await writeFile(path.join(folder, 'broken.json'), '{"models": [}');
  env = {
    TEMPORAL_ADDRESS: `127.0.0.1:${nowhere ?? ''}`,
    PORT: port ?? '',
    SIMULATOR_PORT: simulator ?? '',
    DATA_DIR: path.join(folder, 'data'),
  };
  return own.remove;
});

const COMMANDS = [
  ...['generate', 'start', 'worker', 'api', 'simulator', 'temporal', 'models', 'orphans', 'chaos'],
] as const;

const everywhere = (): Record<string, string>[] => [
  { VIDEO_GENERATOR_MODEL: 'nobody/nothing' },
  { MODEL_CATALOGUE: path.join(folder, 'none.json') },
  { DATA_DIR: path.join(folder, 'broken.json') },
];

/** What needs more than a look at the value. */
const looked = (): Record<string, string>[] => [
  { MODEL_CATALOGUE: path.join(folder, 'broken.json') },
  { MODEL_CATALOGUE: folder },
  { DATA_DIR: '/proc/clips' },
  { TEMPORAL_TLS_CLIENT_CERT_PATH: path.join(folder, 'none.pem') },
  { TEMPORAL_TLS_SERVER_CA_CERT_PATH: path.join(folder, 'broken.json') },
  { TEMPORAL_NAMESPACE: 'two words' },
  { HOST: 'not a host' },
  { SIMULATOR_PORT: env['PORT'] ?? '' },
];

async function refusal(command: string, bad: Record<string, string>): Promise<void> {
  await using running = startProcess(['node', path.join(ROOT, 'setup/run.mjs'), command], {
    cwd: folder,
    env: { ...env, ...bad },
  });
  const what = `${command} with ${JSON.stringify(bad)}`;
  expect(await running.exit(), `${what}: ${running.output}`).toBe(2);
  const lines = running.stderr.trimEnd().split('\n');
  expect(lines, what).toHaveLength(1);
  expect(lines[0], what).toMatch(new RegExp(`^${Object.keys(bad)[0] ?? ''}: expected `));
}

describe('a bad setting', () => {
  it.each(COMMANDS)('ends %s in one line, whether or not it comes to use it', async (command) => {
    for (const bad of everywhere()) await refusal(command, bad);
  });

  it.each(['worker', 'api'])('ends %s before it waits or listens', async (command) => {
    for (const bad of looked()) await refusal(command, bad);
  });

  it('ends generate when HOST is not of this machine, before a server is started', async () => {
    const bad = { HOST: '192.0.2.1', API_KEYS: 'a-key-of-sixteen' };
    await using generate = startProcess(['node', path.join(ROOT, 'setup/run.mjs'), 'generate'], {
      cwd: folder,
      env: { ...env, TEMPORAL_ADDRESS: '', ...bad },
    });
    expect(await generate.exit(), generate.output).toBe(2);
    expect(generate.stderr).toContain('HOST: expected an address of this machine');
  });
});
