/** What a command prints arrives whole, through a pipe too (SET-UP-4). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { testFolder } from '../support/test-folder.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('prints all of a long answer into a pipe before it ends', () => {
  const { path: folder, remove } = testFolder('output');
  onTestFinished(remove);
  const file = path.join(folder, 'models.json');
  const command = 'node setup/run.mjs models --json';
  const script = `${command} | cat > "$1.piped" && ${command} > "$1"`;
  execFileSync('sh', ['-c', script, 'sh', file], { cwd: root });
  const whole = readFileSync(file, 'utf8');
  expect(whole.length).toBeGreaterThan(128 * 1024);
  expect(readFileSync(`${file}.piped`, 'utf8')).toBe(whole);
});
