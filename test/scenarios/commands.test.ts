/** The commands as real processes: what they leave in the folder, their exit codes, and what they leave running. */
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { media } from '../../src/adapters/media/media.js';
import type { Job, JobEvent } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { planOf } from '../support/plans.js';
import { freePorts } from '../../src/http/ports.js';
import {
  ROOT,
  describeProcess,
  processesWith,
  startAtTerminal,
  startProcess,
} from '../support/processes.js';
import type { RunningProcess } from '../support/processes.js';
import { lacks } from '../support/needed-programs.js';
import { testFolder } from '../support/test-folder.js';

let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  const own = testFolder('commands');
  folder = own.path;
  const [port, temporal, ui, simulator] = (await freePorts('127.0.0.1', 4)).map(String);
  env = {
    DATA_DIR: path.join(folder, 'data'),
    PORT: port ?? '',
    TEMPORAL_PORT: temporal ?? '',
    TEMPORAL_UI_PORT: ui ?? '',
    SIMULATOR_PORT: simulator ?? '',
    SIMULATOR_SPEED: '100',
  };
  return own.remove;
});

const program = path.join(ROOT, 'setup/run.mjs');
const command = (...words: string[]): RunningProcess =>
  startProcess(['node', program, ...words], { cwd: folder, env });
const atTerminal = (...words: string[]): RunningProcess =>
  startAtTerminal([process.execPath, program, ...words], { cwd: folder, env });
const CTRL_C = '\u0003';

async function planFile(plan: Plan | string): Promise<string> {
  const file = path.join(folder, 'plan.json');
  await writeFile(file, typeof plan === 'string' ? plan : JSON.stringify(plan));
  return file;
}

const out = (): string => path.join(folder, 'clips');
const resultIn = async (directory: string): Promise<Job> =>
  JSON.parse(await readFile(path.join(directory, 'result.json'), 'utf8')) as Job;
const eventsOf = (text: string): JobEvent[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JobEvent);
const leftRunning = (): string[] => processesWith(folder).map(describeProcess);

describe('npm run generate', () => {
  it('takes the example to twelve clips of the requested lengths, and leaves nothing running', async () => {
    await using generate = command('generate', '--out', out());
    expect(await generate.exit(), generate.output).toBe(0);
    const job = await resultIn(out());
    expect(job).toMatchObject({ status: 'succeeded', total_clips: 12, successful_clips: 12 });
    for (const clip of job.clips) {
      const name = `clip_${String(clip.clip_index).padStart(3, '0')}`;
      const { duration } = await media.measure(path.join(out(), `${name}.mp4`));
      expect(duration).toBeCloseTo(clip.requested_duration, 1);
      const jpeg = await readFile(path.join(out(), `${name}.jpg`));
      expect(jpeg.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    }
    expect(await readdir(out())).toHaveLength(25);
    expect(generate.output).toContain('SIMULATOR');
    expect(generate.stdout).toContain(`12 clips, thumbnails and result.json are in ${out()}/`);
    expect(leftRunning()).toEqual([]);
  });

  it('says every mistake of a plan with its place, and starts nothing', async () => {
    const plan = await planFile('{"clip_prompts": [{"prompt": "", "duration": -1}], "colour": 1}');
    await using generate = command('generate', plan);
    expect(await generate.exit(), generate.output).toBe(2);
    for (const place of ['clip_prompts.0.clip_index', 'clip_prompts.0.duration', 'colour']) {
      expect(generate.stderr).toContain(`  ${place}: `);
    }
    expect(generate.stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(path.join(folder, 'data'))).toBe(false);
  });

  it.each([
    { words: ['--bogus'], variables: {}, says: "'--bogus'" },
    { words: ['missing.json'], variables: {}, says: 'there is no such file' },
    { words: [], variables: { PORT: 'abc' }, says: 'PORT: expected' },
    { words: ['--attach', 'nobody'], variables: {}, says: '"nobody"' },
  ])('refuses $words $variables in plain words', async ({ words, variables, says }) => {
    Object.assign(env, variables);
    await using generate = command('generate', ...words);
    expect(await generate.exit(), generate.output).toBe(2);
    expect(generate.stderr).toContain(says);
    expect(generate.stderr).not.toMatch(/\n\s+at /);
    expect(leftRunning()).toEqual([]);
  });

  it('exits 1 when too few clips succeeded, and says why', async () => {
    const plan = await planFile(planOf(['good', '[[flagged]] bad'], { min_successful_clips: 2 }));
    await using generate = command('generate', plan, '--out', out());
    expect(await generate.exit(), generate.output).toBe(1);
    expect(await resultIn(out())).toMatchObject({ status: 'failed', successful_clips: 1 });
    expect(generate.stdout).toContain('the provider refused the content');
    expect((await readdir(out())).sort()).toEqual(['clip_000.jpg', 'clip_000.mp4', 'result.json']);
  });

  it('stopped in the middle leaves the job safe: it resumes later and nothing is paid twice', async () => {
    env['SIMULATOR_SPEED'] = '20';
    const plan = await planFile(planOf(['one', 'two', 'three', 'four', 'five', 'six']));
    await using first = command('generate', plan, '--job-id', 'stopped', '--out', out());
    await first.waitFor(/clip 3 is rendering/);
    first.signalGroup('SIGTERM');
    first.signalGroup('SIGTERM');
    expect(await first.exit(), first.output).toBe(143);
    expect(first.output).toContain('npm run generate -- --attach stopped');
    expect(leftRunning()).toEqual([]);

    await using second = command('generate', '--attach', 'stopped', '--json', '--out', out());
    expect(await second.exit(), second.output).toBe(0);
    const events = eventsOf(second.stdout);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe('job.completed');
    const job = await resultIn(out());
    expect(job.clips.map(({ predictions }) => predictions.length)).toEqual([1, 1, 1, 1, 1, 1]);
    expect((await readdir(out())).filter((name) => name.endsWith('.mp4'))).toHaveLength(6);
  });

  it.skipIf(lacks('script'))('asks at Ctrl-C, and cancels the job when told to', async () => {
    const plan = await planFile(planOf(['[[hold:while-processing]] one']));
    await using generate = atTerminal('generate', plan, '--out', out());
    await generate.waitFor(/rendering/);
    generate.type(CTRL_C);
    await generate.waitFor(/Leave the job running \(l\), cancel it \(c\)/);
    generate.type('c');
    expect(await generate.exit(), generate.output).toBe(1);
    const job = await resultIn(out());
    expect(job).toMatchObject({ status: 'canceled', clips: [{ status: 'canceled' }] });
    expect(job.clips[0]?.predictions.map(({ status }) => status)).toEqual(['canceled']);
    expect(leftRunning()).toEqual([]);
  });

  it.skipIf(lacks('script'))(
    'asks at Ctrl-C, and leaves the job running when told to',
    async () => {
      env['SIMULATOR_SPEED'] = '20';
      const plan = await planFile(planOf(['one', 'two']));
      await using generate = atTerminal('generate', plan, '--job-id', 'left', '--out', out());
      await generate.waitFor(/rendering/);
      generate.type(CTRL_C);
      await generate.waitFor(/Leave the job running \(l\), cancel it \(c\)/);
      generate.type('l');
      expect(await generate.exit(), generate.output).toBe(130);
      expect(leftRunning()).toEqual([]);
      await using again = command('generate', '--attach', 'left', '--out', out());
      expect(await again.exit(), again.output).toBe(0);
      const job = await resultIn(out());
      expect(job.clips.map(({ predictions }) => predictions.length)).toEqual([1, 1]);
    },
  );

  it('killed with everything it started resumes as well', async () => {
    env['SIMULATOR_SPEED'] = '20';
    const plan = await planFile(planOf(['one', 'two']));
    await using first = command('generate', plan, '--job-id', 'killed', '--out', out());
    await first.waitFor(/clip 1 is rendering/);
    await first.killGroup();
    await using second = command('generate', '--attach', 'killed', '--out', out());
    expect(await second.exit(), second.output).toBe(0);
    const job = await resultIn(out());
    expect(job.clips.map(({ predictions }) => predictions.length)).toEqual([1, 1]);
    expect(leftRunning()).toEqual([]);
  });

  it('twice at once on one data folder finishes both', async () => {
    const plan = await planFile(planOf(['one', 'two']));
    const runs = ['a', 'b'].map((name) => ({
      name,
      process: command('generate', plan, '--job-id', name, '--out', path.join(folder, name)),
    }));
    for (const { name, process } of runs) {
      await using run = process;
      expect(await run.exit(), run.output).toBe(0);
      expect(await resultIn(path.join(folder, name))).toMatchObject({ status: 'succeeded' });
    }
    expect(leftRunning()).toEqual([]);
  });
});

describe('npm start', () => {
  it('serves generate, refuses its port to a second one, and stops with nothing left', async () => {
    await using stack = command('start');
    const [, page = ''] = await stack.waitFor(/Page +(http:\S+)/);
    expect((await fetch(page)).status).toBe(200);

    await using second = command('start');
    expect(await second.exit(), second.output).toBe(2);
    expect(second.stderr).toContain('PORT: expected a free port');

    const plan = await planFile(planOf(['one']));
    await using generate = command('generate', plan, '--out', out());
    expect(await generate.exit(), generate.output).toBe(0);
    expect(generate.output).toContain(
      `Using the running stack at http://127.0.0.1:${env['PORT'] ?? ''}`,
    );

    stack.signalGroup('SIGINT');
    stack.signalGroup('SIGINT');
    expect(await stack.exit(), stack.output).toBe(0);
    expect(leftRunning()).toEqual([]);
  });

  it('names the variable of a port that another program uses, and starts nothing', async () => {
    const other = createServer().listen(Number(env['SIMULATOR_PORT']), '127.0.0.1');
    await using stack = command('start');
    expect(await stack.exit(), stack.output).toBe(2);
    expect(stack.stderr).toContain('SIMULATOR_PORT: expected a free port');
    expect(leftRunning()).toEqual([]);
    other.close();
  });
});

describe('npm run models', () => {
  it('lists the catalogue as a table or as JSON', async () => {
    await using models = command('models', '--json');
    expect(await models.exit(), models.output).toBe(0);
    const { models: rows } = JSON.parse(models.stdout) as { models: { id: string }[] };
    expect(rows.map(({ id }) => id)).toContain('google/veo-3.1');
  });
});
