/** The client outside of this checkout: packed, installed in an empty project, checked and run as its README has it, which is docs/client.md. */
import { spawn } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { harness } from '../api/harness.js';
import { COMPILER, ROOT, buildClient, run } from './packed-client.js';
import { VIDEO, begin, complete } from './played-job.js';
import { testFolder } from '../support/test-folder.js';

const DOCUMENTED = 'http://127.0.0.1:3000';
/** Before the example: what it sends to the documented address goes to the API of the test. */
const redirected = (url: string): string => `
  const { fetch } = globalThis;
  globalThis.fetch = (address, init) => fetch(String(address).replace('${DOCUMENTED}', '${url}'), init);
`;

let project: string;

async function example(): Promise<string> {
  const readme = 'node_modules/durable-clip-generator/README.md';
  const text = await readFile(path.join(project, readme), 'utf8');
  return /```ts\n(.*?)```/s.exec(text)?.[1] ?? '';
}

/** As strict as a project can be, without any types but the client's and the browser's. */
const STRICT = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: [],
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    target: 'es2023',
  },
  files: ['example.ts'],
};

beforeAll(async () => {
  const client = await buildClient();
  project = testFolder('empty-project').path;
  await writeFile(path.join(project, 'package.json'), '{ "type": "module", "private": true }');
  const file = (await run(project, 'npm', 'pack', client, '--silent')).trim();
  await run(project, 'npm', 'install', `./${file}`, '--offline', '--no-audit', '--no-fund');
  await writeFile(path.join(project, 'example.ts'), await example());
  await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify(STRICT));
  await run(project, process.execPath, COMPILER);
}, 240_000);

describe('the packed client', () => {
  it('is the only package of the project, and holds nothing but the client', async () => {
    const packages = await readdir(path.join(project, 'node_modules'));
    expect(packages.filter((name) => !name.startsWith('.'))).toEqual(['durable-clip-generator']);
    const folder = path.join(project, 'node_modules/durable-clip-generator');
    const files = await readdir(folder, { recursive: true });
    expect(files).toContain('client/index.js');
    for (const file of files.filter((name) => /\.(?:js|d\.ts)$/.test(name))) {
      const text = await readFile(path.join(folder, file), 'utf8');
      expect(text.match(/(?:from|import\() ?'(?!\.)[^']*'/g), file).toBeNull();
    }
  });

  it('is packed from the checkout itself with the same files, a licence and the README', async () => {
    const listed = await run(ROOT, 'npm', 'pack', '--dry-run', '--json', '--ignore-scripts');
    const [{ files }] = JSON.parse(listed) as [{ files: { path: string }[] }];
    const others = files.filter((file) => !file.path.startsWith('dist/client/'));
    const names = others.map((file) => file.path).sort();
    expect(names).toEqual(['LICENSE', 'README.md', 'package.json']);
  });

  it('runs the documented example, through a restart of the API, to the last event', async () => {
    const first = await harness();
    await writeFile(path.join(project, 'redirected.mjs'), redirected(first.url));
    const words = ['--import', './redirected.mjs', 'example.js'];
    const child = spawn(process.execPath, words, {
      cwd: project,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let [said, complaints] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));

    await expect.poll(() => [...first.jobs.runs.keys()]).toHaveLength(1);
    const [jobId = ''] = first.jobs.runs.keys();
    begin(first, jobId);
    await expect.poll(() => said).toContain('3 clip.submitted');
    await first.app.close();
    first.jobs.warn(jobId, 2);
    await complete(await harness({}, {}, first), jobId);

    expect(await ended, complaints).toBe(0);
    const seqs = said.split('\n').flatMap((line) => /^(\d+) \w+\.\w+ /.exec(line)?.[1] ?? []);
    expect(seqs.map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(said).toMatch(/^about \$\d/);
    expect(said).toContain('\nsucceeded\n');
    expect(said).toContain(`clip 1: ${String(VIDEO.length)} bytes`);
    expect(complaints).toBe('');
  });

  it('refuses with the status and every mistake of a plan', async () => {
    const { url } = await harness();
    const file = path.join(project, 'refused.js');
    await writeFile(
      file,
      `import { ApiError, createClient } from 'durable-clip-generator/client';
      const client = createClient({ baseUrl: '${url}' });
      const plan = { clip_prompts: [{ clip_index: 0, prompt: '', duration: -1 }] };
      const calls = [client.jobs.create(plan), client.events('never-was').next()];
      for (const { reason } of await Promise.allSettled(calls)) {
        const paths = reason.problem.errors.map(({ path }) => path);
        console.log(JSON.stringify([reason instanceof ApiError, reason.status, paths]));
      }`,
    );
    expect((await run(project, process.execPath, file)).trim().split('\n')).toEqual([
      '[true,400,["clip_prompts.0.prompt","clip_prompts.0.duration"]]',
      '[true,404,[]]',
    ]);
  });
});
