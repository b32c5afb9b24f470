/**
 * The page as a browser gets it, built into a folder of its own, so that these tests neither need nor
 * disturb the checkout's `dist`.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { copyPage } from '../../setup/build.mjs';
import { testFolder } from '../support/test-folder.js';

const ROOT = new URL('../../', import.meta.url).pathname;

export async function buildPage(): Promise<string> {
  const { path: folder } = testFolder('page');
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [
    compiler,
    ...['--project', join(ROOT, 'tsconfig.web.json'), '--outDir', folder],
  ]);
  copyPage(folder);
  return folder;
}
