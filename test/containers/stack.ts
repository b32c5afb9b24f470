/**
 * The stack of docker-compose.yml as people run it, in containers without a common disk: started, asked for videos, killed, scaled,
 * restarted and stopped. Run by `npm run test:containers`, which builds the images and gives the words of Compose. The tests are one
 * story and run in this order.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measureFile } from '../../src/adapters/media/measure.js';
import { createClient } from '../../src/client/index.js';
import type { Client, Job } from '../../src/client/index.js';
import { freePorts } from '../../src/http/ports.js';
import { answered, eventually } from '../support/eventually.js';
import { testFolder } from '../support/test-folder.js';

const [program = '', ...words] = JSON.parse(process.env['CONTAINERS'] ?? '[]') as string[];
const env = { ...process.env };
const folder = testFolder('containers');
afterAll(folder.remove);

async function run(file: string, given: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, given, { env, maxBuffer: 2 ** 26 });
  return stdout.trim();
}

const compose = (...given: string[]): Promise<string> => run(program, [...words, ...given]);
const docker = (...given: string[]): Promise<string> => run('docker', given);

const up = (...given: string[]): Promise<string> =>
  compose('up', '--detach', '--no-build', '--wait', '--wait-timeout', '170', ...given);

interface Container {
  ID: string;
  Service: string;
  State: string;
  Health: string;
  ExitCode: number;
}

async function containers(service?: string): Promise<Container[]> {
  const lines = await compose('ps', '--all', '--format', 'json', ...(service ? [service] : []));
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Container);
}

/** Of each container, for the documents. */
const memory = (): Promise<string> =>
  docker('stats', '--no-stream', '--format', '{{.Name}}  {{.MemUsage}}');

const OWN = ['worker', 'api', 'simulator'];

let client: Client;
let base = '';
let key = '';

beforeAll(async () => {
  const [api = 0, temporal = 0, ui = 0] = await freePorts('127.0.0.1', 3);
  base = `http://127.0.0.1:${String(api)}`;
  Object.assign(env, {
    PORT: String(api),
    TEMPORAL_PORT: String(temporal),
    TEMPORAL_UI_PORT: String(ui),
    // Renders take seconds, so that there is a middle.
    SIMULATOR_SPEED: '5',
  });
  const begun = Date.now();
  await up();
  console.log(`healthy after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  console.log(`at rest:\n${await memory()}`);
  key = await compose('exec', '-T', 'api', 'cat', '/run/keys/api_keys');
  client = createClient({ baseUrl: base, apiKey: key });
});

interface Books {
  creates: number;
  bills: { count: number; usd: number };
  alive: number;
}

/** What the provider says that it was asked for and billed. */
async function books(): Promise<Books> {
  const script =
    "fetch('http://simulator:8288/simulator/stats').then((answer) => answer.text()).then(console.log)";
  return JSON.parse(await compose('exec', '-T', 'simulator', 'node', '-e', script)) as Books;
}

const plan = (job_id: string, clips: number) => ({
  job_id,
  batch_size: 4,
  dispatch: 'window' as const,
  clip_prompts: Array.from({ length: clips }, (_, index) => ({
    clip_index: index,
    prompt: `boat number ${String(index)} of ${job_id}`,
    duration: 5,
  })),
});

/** While containers are replaced, a request may meet none. */
const jobNow = (id: string): Promise<Job> => answered(`job ${id}`, () => client.jobs.get(id));

const jobWhen = (id: string, what: string, holds: (job: Job) => boolean): Promise<Job> =>
  eventually(`${id}: ${what}`, async () => {
    const job = await jobNow(id);
    return { done: holds(job), value: job };
  });

const isOver = ({ status }: Job): boolean => ['succeeded', 'failed', 'canceled'].includes(status);

/** Every clip's video as the API sends it, measured. */
async function lengths({ job_id, clips }: Job): Promise<(number | null)[]> {
  const measured: number[] = [];
  for (const { clip_index } of clips) {
    const url = `${base}/v1/jobs/${job_id}/clips/${String(clip_index)}/video`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(200);
    const file = path.join(folder.path, 'clip.mp4');
    await writeFile(file, new Uint8Array(await answer.arrayBuffer()));
    measured.push((await measureFile(file)).duration);
  }
  return measured;
}

/** Every clip is stored, and was paid once: in the job's ledger as in the provider's. */
async function expectStoredAndPaidOnce(job: Job, before: Books): Promise<void> {
  expect(job.error).toBeNull();
  expect(job.clips.map(({ status }) => status)).toEqual(job.clips.map(() => 'succeeded'));
  expect(job.clips.map(({ predictions }) => predictions.length)).toEqual(job.clips.map(() => 1));
  expect(await lengths(job)).toEqual(job.clips.map(({ actual_duration }) => actual_duration));
  const after = await books();
  expect(after.creates - before.creates).toBe(job.clips.length);
  expect(after.bills.count - before.bills.count).toBe(job.clips.length);
  expect(after.bills.usd - before.bills.usd).toBeCloseTo(job.total_cost_usd, 6);
  expect(after.alive).toBe(0);
}

describe('the stack in containers', () => {
  it('is ready when compose says that it is healthy, with both workers', async () => {
    const answer = await client.readiness();
    expect(answer).toMatchObject({ ready: true, simulated: true, workers: 2 });
    for (const { Service, State, Health } of await containers()) {
      const isJob = ['schema', 'namespace', 'keys'].includes(Service);
      expect([Service, State, Health]).toEqual(
        isJob ? [Service, 'exited', ''] : [Service, 'running', 'healthy'],
      );
    }
  });

  it('asks for the key, and for another one in vain', async () => {
    expect((await fetch(`${base}/v1/jobs`)).status).toBe(401);
    const wrong = createClient({ baseUrl: base, apiKey: 'a-key-that-is-not-the-right-one' });
    await expect(wrong.jobs.get('any')).rejects.toMatchObject({ status: 401 });
  });

  it.each(OWN)(
    'runs %s as a user without rights, who can write only its own folders',
    async (name) => {
      const script = `
      const { writeFileSync } = require('node:fs');
      const tried = (file) => { try { writeFileSync(file, ''); return 'written'; } catch ({ code }) { return code; } };
      const status = require('node:fs').readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify([process.getuid(), /CapEff:\\s*(\\w+)/.exec(status)[1], /NoNewPrivs:\\s*(\\d)/.exec(status)[1],
        ...['/app/x', '/etc/x', '/data/x', '/tmp/x'].map(tried)]));`;
      const seen: unknown = JSON.parse(await compose('exec', '-T', name, 'node', '-e', script));
      expect(seen).toEqual([1000, '0000000000000000', '1', 'EROFS', 'EROFS', 'written', 'written']);
    },
  );

  it('runs commands of the image beside it', async () => {
    const said = await compose('run', '--rm', '--no-deps', '-T', 'api', 'models', '--json');
    const { models } = JSON.parse(said) as { models: unknown[] };
    expect(models).toHaveLength((await client.models.list()).length);
  });

  it('renders a job: each clip stored, readable and paid once', async () => {
    const before = await books();
    await client.jobs.create(plan('calm', 6));
    const job = await jobWhen('calm', 'to end', isOver);
    await expectStoredAndPaidOnce(job, before);
  });

  it('loses and doubles nothing when workers are killed and scaled and the API restarts in the middle', async () => {
    const before = await books();
    await client.jobs.create(plan('rough', 12));
    const seen: number[] = [];
    const following = (async () => {
      for await (const { seq } of client.events('rough', { after: 0 })) seen.push(seq);
    })();
    await jobWhen('rough', 'two clips to render', ({ clips }) => {
      const submitted = clips.filter(({ predictions }) => predictions.length > 0);
      return submitted.length >= 2;
    });
    const [victim] = await containers('worker');
    await docker('kill', '--signal', 'KILL', victim?.ID ?? '');
    expect((await containers('worker')).map(({ ExitCode }) => ExitCode).sort()).toEqual([0, 137]);
    expect(isOver(await jobNow('rough'))).toBe(false);
    await up('--scale', 'worker=4');
    expect((await containers('worker')).map(({ State }) => State)).toEqual(
      Array(4).fill('running'),
    );
    await jobWhen('rough', 'a third of it', ({ successful_clips }) => successful_clips >= 4);
    await compose('restart', 'api');
    await jobWhen('rough', 'a half of it', ({ successful_clips }) => successful_clips >= 6);
    await up('--scale', 'worker=2');
    const job = await jobWhen('rough', 'to end', isOver);
    await following;
    await expectStoredAndPaidOnce(job, before);
    expect(seen).toEqual(Array.from({ length: job.seq }, (_, index) => index + 1));
  });

  it('stops gracefully, each process by itself', async () => {
    await client.jobs.create(plan('stopped', 4));
    await jobWhen('stopped', 'a clip to render', ({ clips }) =>
      clips.some(({ predictions }) => predictions.length > 0),
    );
    await compose('stop');
    const own = (await containers()).filter(({ Service }) => OWN.includes(Service));
    expect(own.map(({ Service, State, ExitCode }) => [Service, State, ExitCode])).toEqual(
      own.map(({ Service }) => [Service, 'exited', 0]),
    );
  });

  it('continues after a start: what was stored is there, and what rendered is not paid again', async () => {
    await up();
    const job = await jobWhen('stopped', 'to end', isOver);
    expect(job.clips.map(({ status }) => status)).toEqual(job.clips.map(() => 'succeeded'));
    expect(job.clips.map(({ predictions }) => predictions.length)).toEqual(job.clips.map(() => 1));
    expect((await books()).bills.count).toBe(6 + 12 + 4);
    expect(await lengths(await jobNow('calm'))).toHaveLength(6);
    console.log(`after ${String(6 + 12 + 4)} clips:\n${await memory()}`);
  });
});
