/** The client as `npm pack` makes it, from the sources as they are, so that no test needs or disturbs the checkout's `dist`. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { testFolder } from '../support/test-folder.js';

export const ROOT = new URL('../../', import.meta.url).pathname;
export const COMPILER = path.join(ROOT, 'node_modules/typescript/bin/tsc');

/** What a command prints. Rejects with all of that when it fails. */
export async function run(cwd: string, ...[file = '', ...words]: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(file, words, { cwd })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${file} ${words.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** A folder with the package as it is before it is packed. */
export async function buildClient(): Promise<string> {
  const { path: folder } = testFolder('client');
  const project = path.join(ROOT, 'tsconfig.client.json');
  await run(ROOT, process.execPath, COMPILER, '--project', project, '--outDir', folder);
  await run(ROOT, process.execPath, path.join(ROOT, 'setup/client-package.mjs'), folder);
  return folder;
}
