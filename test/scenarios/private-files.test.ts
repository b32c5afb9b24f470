/** Who may read what jobs leave on disk: real commands, with the umask that most machines have. */
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../../src/http/ports.js';
import { planOf } from '../support/plans.js';
import { ROOT, startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

const modeOf = async (place: string): Promise<string> =>
  ((await stat(place)).mode & 0o7777).toString(8);

async function modesBelow(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const modes = new Map<string, string>();
  for (const name of names) modes.set(name, await modeOf(path.join(folder, name)));
  return modes;
}

interface Ran {
  data: string;
  out: string;
}

/** A job from its plan to its clips, by a command that runs every part itself, in a DATA_DIR made before it. */
async function generated(mode: number, umask: string, foreign: string[] = []): Promise<Ran> {
  const { path: folder, remove } = testFolder('private');
  onTestFinished(remove);
  const [data, out] = [path.join(folder, 'data'), path.join(folder, 'made/out')];
  await mkdir(data);
  await chmod(data, mode);
  for (const name of foreign) {
    await writeFile(path.join(data, name), '');
    await chmod(path.join(data, name), 0o644);
  }
  const plan = path.join(folder, 'plan.json');
  await writeFile(plan, JSON.stringify(planOf(['a quiet bay'])));
  const [port, temporal, ui, simulator] = (await freePorts('127.0.0.1', 4)).map(String);
  const line = `umask ${umask}; exec "$0" "$@"`;
  const program = [process.execPath, path.join(ROOT, 'setup/run.mjs')];
  await using run = startProcess(
    ['sh', '-c', line, ...program, 'generate', plan, '--out', path.join(out, 'clips')],
    {
      cwd: folder,
      env: {
        DATA_DIR: data,
        PORT: port ?? '',
        TEMPORAL_PORT: temporal ?? '',
        TEMPORAL_UI_PORT: ui ?? '',
        SIMULATOR_PORT: simulator ?? '',
        SIMULATOR_SPEED: '100',
      },
    },
  );
  expect([await run.exit(), run.output]).toEqual([0, expect.any(String)]);
  return { data, out };
}

const EVERY_PART = [
  /^artifacts\/.+\/clip_000\.mp4$/,
  /^artifacts\/.+\/clip_000\.jpg$/,
  /^jobs\/.+\/job\.json$/,
  /^jobs\/.+\/plan\.json$/,
  /^index\/entries\/.+\.json$/,
  /^claims\/./,
  /^temporal\.db$/,
  /^simulator\/.+/,
];

/** Names with what they grant beyond `allowed`. */
const tooWide = (modes: Map<string, string>, allowed: number): [string, string][] =>
  [...modes].filter(([, mode]) => (parseInt(mode, 8) & 0o777 & ~allowed) !== 0);

describe('what a job leaves on disk', () => {
  it('is for its user alone, in a folder that was open to all; its clips in --out are not', async () => {
    const { data, out } = await generated(0o755, '022');
    expect(await modeOf(data)).toBe('700');
    const modes = await modesBelow(data);
    for (const part of EVERY_PART)
      expect([...modes.keys()].some((name) => part.test(name))).toBe(true);
    expect(tooWide(modes, 0o700)).toEqual([]);
    expect(await modeOf(out)).toBe('755');
    expect(new Set((await modesBelow(out)).values())).toEqual(new Set(['755', '644']));
  });

  it('is for a group as well where the folder is shared with it, and never for others', async () => {
    const { data, out } = await generated(0o2775, '027');
    expect(await modeOf(data)).toBe('2770');
    const modes = await modesBelow(data);
    expect(tooWide(modes, 0o770)).toEqual([]);
    const video = [...modes].find(([name]) => name.endsWith('.mp4'));
    expect(video?.[1]).toBe('660');
    expect(new Set((await modesBelow(out)).values())).toEqual(new Set(['750', '640']));
  });

  it('is private in a folder that holds other things too, which is itself left as it is', async () => {
    const { data } = await generated(0o755, '022', ['notes.txt']);
    expect(await modeOf(data)).toBe('755');
    const { ['notes.txt']: notes, ...ours } = Object.fromEntries(await modesBelow(data));
    expect(notes).toBe('644');
    expect(tooWide(new Map(Object.entries(ours)), 0o700)).toEqual([]);
  });
});
