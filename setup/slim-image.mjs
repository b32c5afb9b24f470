/**
 * The last step of the image's build, `node setup/slim-image.mjs FOLDER`: copies to FOLDER what a container needs to run, and
 * leaves out what is for builds, other platforms and people. Prints what was left out, by row, and what is left, by package.
 */
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { inRoot } from './paths.mjs';

const RUST_NAMES = { x64: 'x86_64', arm64: 'aarch64' };
const ownRelease = `${RUST_NAMES[process.arch] ?? process.arch}-unknown-linux-gnu`;

/** Below node_modules. `only` those files, `but` not those. */
export const LEFT_OUT = [
  { why: 'compiles the program, which is compiled', in: 'typescript' },
  { why: 'bundles workflows, which are bundled', in: '@swc' },
  { why: 'shrinks bundles', in: 'terser' },
  {
    why: 'Temporal for other platforms',
    in: '@temporalio/core-bridge/releases',
    but: (name) => name.startsWith(`${ownRelease}/`),
  },
  { why: 'Rust sources of Temporal', in: '@temporalio/core-bridge/sdk-core' },
  {
    why: 'fonts that nothing draws with',
    in: 'dejavu-fonts-ttf/ttf',
    but: (name) => name === 'DejaVuSans-Bold.ttf',
  },
  { why: 'rxjs for browsers and bundlers', in: 'rxjs/src' },
  { why: 'rxjs for browsers and bundlers', in: 'rxjs/dist/bundles' },
  { why: 'rxjs for browsers and bundlers', in: 'rxjs/dist/esm5' },
  {
    why: 'maps, types and documents of packages',
    in: '',
    only: /\.(?:map|d\.[mc]?ts|md|markdown|flow)$/,
    but: (name) => /licen[cs]e|notice|copying/i.test(name),
  },
];

/** Of the checkout; without `src` nothing is set up in the container (setup/run.mjs). */
const KEPT = ['package.json', 'LICENSE', 'NOTICE', 'examples', 'setup', 'dist', 'node_modules'];

/** Removes the row's files below `folder`; how many bytes they had. */
export function leaveOut(folder, { in: place, only, but }) {
  let bytes = 0;
  const top = path.join(folder, place);
  for (const file of filesBelow(top)) {
    const name = path.relative(top, file).split(path.sep).join('/');
    if ((only !== undefined && !only.test(name)) || but?.(name)) continue;
    bytes += lstatSync(file).size;
    rmSync(file);
  }
  return bytes;
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

const sizeOf = (folder) => filesBelow(folder).reduce((sum, file) => sum + lstatSync(file).size, 0);

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function main(image) {
  const app = path.join(image, 'app');
  for (const name of KEPT)
    cpSync(inRoot(name), path.join(app, name), { recursive: true, verbatimSymlinks: true });
  for (const row of LEFT_OUT) {
    const bytes = leaveOut(path.join(app, 'node_modules'), row);
    console.log(`left out  ${megabytes(bytes).padStart(9)}  ${row.in || 'everywhere'}: ${row.why}`);
  }
  for (const name of ['chaos', 'client']) {
    rmSync(path.join(app, 'dist', name), { recursive: true, force: true });
  }
  leaveOut(path.join(app, 'dist'), { in: '', only: /\.(?:map|tsbuildinfo)$/ });
  writeCertificates(path.join(image, 'etc/ssl/certs'));
  writeFontSettings(path.join(image, 'etc/fonts'));
  for (const [name, bytes] of largest(app))
    console.log(`kept      ${megabytes(bytes).padStart(9)}  ${name}`);
}

/** Node brings its own; Temporal's connections look for the system's, which slim images lack. */
function writeCertificates(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'ca-certificates.crt'), `${rootCertificates.join('\n')}\n`);
}

/** The simulator draws with a font of its own; without this file it is told on every start that there is none. */
function writeFontSettings(folder) {
  mkdirSync(folder, { recursive: true });
  const text = '<fontconfig><cachedir>/tmp/fontconfig</cachedir></fontconfig>\n';
  writeFileSync(path.join(folder, 'fonts.conf'), `<?xml version="1.0"?>\n${text}`);
}

function largest(app) {
  const packages = path.join(app, 'node_modules');
  const names = readdirSync(packages).filter((name) => !name.startsWith('.'));
  const places = names.flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(path.join(packages, name)).map((own) => path.join('node_modules', name, own))
      : [path.join('node_modules', name)],
  );
  return ['dist', ...places]
    .map((name) => [name, sizeOf(path.join(app, name))])
    .sort(([, one], [, other]) => other - one)
    .slice(0, 25);
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url)) main(folder);
