/**
 * The page as a browser gets it, built into a folder of its own, so that these tests neither need nor
 * disturb the checkout's `dist`.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url).pathname;

export async function buildPage(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [
    compiler,
    ...['--project', join(ROOT, 'tsconfig.web.json'), '--outDir', folder],
  ]);
  const sources = join(ROOT, 'src/web');
  for (const name of await readdir(sources)) {
    if (/\.(html|css|svg)$/.test(name)) await cp(join(sources, name), join(folder, 'web', name));
  }
  return folder;
}
