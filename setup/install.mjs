/**
 * Installs node_modules as package-lock.json has it, for the checkout and for the programs that benchmarks compare it with. npm
 * writes `node_modules/.package-lock.json` last, so that a comparison of the two files finds interrupted and outdated installs.
 * No install script is run.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import { SetupError, timed } from './say.mjs';

export const packages = packagesIn('');
/** Only for `npm run bench -- --peers`. */
export const peerPackages = packagesIn('bench/peers');

function packagesIn(folder) {
  const read = (file) => readJson(path.join(folder, file));
  return {
    needed: () => !isInstalled(read('package-lock.json'), read('node_modules/.package-lock.json')),
    make: () =>
      timed(`installing packages${folder && ` of ${folder}`} with npm`, async () => {
        const { ok, text } = await npm(inRoot(folder));
        if (!ok) {
          throw new SetupError(
            `installing packages failed: ${errorLine(text, /npm error (?!A complete log|\/)|not found/)}; check the network and the registry in .npmrc, then run the command again.`,
          );
        }
        return 'packages installed';
      }),
  };
}

/** Whether every package that is not optional is there in the version asked for. */
export function isInstalled(wanted, installed) {
  if (wanted === null || installed === null) return false;
  return Object.entries(wanted.packages).every(
    ([place, { version, optional, devOptional, peer }]) =>
      place === '' ||
      optional ||
      devOptional ||
      peer ||
      installed.packages[place]?.version === version,
  );
}

function npm(folder) {
  const words = ['ci', '--prefix', folder, '--include=dev', '--ignore-scripts'];
  words.push('--no-audit', '--no-fund');
  const script = process.env.npm_execpath;
  // SKIP_FFMPEG: the media library would download a command line program that this project does not use.
  const options = { env: { SKIP_FFMPEG: 'true', NODE_ENV: 'development' } };
  return script?.endsWith('.js')
    ? run(process.execPath, [script, ...words], options)
    : run('npm', words, options);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(inRoot(file), 'utf8'));
  } catch {
    return null;
  }
}
