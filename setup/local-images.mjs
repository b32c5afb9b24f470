/**
 * Images for machines that reach package registries but no image registry: Debian by debootstrap, Node by npm, the other services'
 * programs by Go. What was made is kept: base images in the engine, programs in the cache of the checkout.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildImage } from './docker.mjs';
import { cache, inRoot } from './paths.mjs';
import { errorLine, run } from './processes.mjs';
import {
  buildWithGo,
  findGo,
  isProgram,
  PROGRAM_FOLDER,
  programPath,
  sweepDrafts,
} from './programs.mjs';
import { SetupError, timed } from './say.mjs';
import { findTemporalCli } from './temporal-cli.mjs';
import { BUCKET_SERVER, BUCKETS } from './test-extras.mjs';

const folder = path.join(cache, 'containers');
const NODE = '24.21.0';
const NPM = '11.21.2';
/** As in docker-compose.temporal.yml. */
const TEMPORAL = '1.32.0';
const TEMPORAL_UI = '2.54.1';

export const LOCAL_IMAGES = {
  debian: 'clip-generator-debian:bookworm',
  node: `clip-generator-node:${NODE}`,
  services: `clip-generator-services:local`,
};

const server = 'go.temporal.io/server';
const ui = 'github.com/temporalio/ui-server/v2';

/** Name in the image → how Go builds it. */
const PROGRAMS = {
  'temporal-server': { module: `${server}/cmd/server`, version: TEMPORAL },
  'temporal-sql-tool': { module: `${server}/cmd/tools/sql`, version: TEMPORAL },
  'temporal-ui-server': { module: `${ui}/cmd/server`, version: TEMPORAL_UI },
  versitygw: {
    module: 'github.com/versity/versitygw/cmd/versitygw',
    version: BUCKETS,
    file: BUCKET_SERVER,
  },
};

/** Throws a SetupError that says what is missing. */
export async function makeLocalImages() {
  mkdirSync(folder, { recursive: true });
  const { debian, node, services } = LOCAL_IMAGES;
  if (!(await isThere(debian))) await timed('making a Debian image with debootstrap', makeDebian);
  const base = { BASE_IMAGE: debian };
  if (!(await isThere(node))) {
    await timed(`making an image of Node ${NODE}`, async () =>
      must('an image of Node', await buildImage(node, await nodeFolder(), base)),
    );
  }
  if (!(await isThere(services))) {
    await programs();
    await timed('making an image of the services', async () =>
      must('an image of the services', await buildImage(services, await servicesFolder(), base)),
    );
  }
}

const isThere = async (image) => (await run('docker', ['image', 'inspect', image])).ok;

function must(what, { ok, text }) {
  if (!ok) throw new SetupError(`making ${what} failed: ${errorLine(text).slice(0, 300)}`);
}

/** What images for containers leave out of Debian. */
const SPARE = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
];

async function makeDebian() {
  if (programPath('debootstrap') === null) {
    throw new SetupError(
      'no image can be pulled here, and there is no debootstrap to make one with; install debootstrap, or pull the images of docker-compose.yml where they can be reached.',
    );
  }
  const place = path.join(folder, 'debian');
  const tar = path.join(folder, 'debian.tar');
  rmSync(place, { recursive: true, force: true });
  must('Debian', await run('debootstrap', ['--variant=minbase', 'bookworm', place]));
  for (const name of SPARE) rmSync(path.join(place, name), { recursive: true, force: true });
  must('Debian', await run('tar', ['-C', place, '-cf', tar, '.']));
  rmSync(place, { recursive: true, force: true });
  must('Debian', await run('docker', ['import', tar, LOCAL_IMAGES.debian]));
  rmSync(tar);
}

async function nodeFolder() {
  const context = emptyFolder('node');
  const program = await packed(`node-linux-${process.arch}@${NODE}`);
  cpSync(path.join(program, 'bin/node'), path.join(context, 'node'));
  chmodSync(path.join(context, 'node'), 0o755);
  cpSync(await packed(`npm@${NPM}`), path.join(context, 'npm'), { recursive: true });
  const settings = await Promise.all(
    ['registry', 'cafile'].map(async (name) => {
      const { text } = await run('npm', ['config', 'get', name]);
      return [name, text.trim()];
    }),
  );
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const { registry, cafile } = Object.fromEntries(settings);
  cpSync(existsSync(cafile) ? cafile : certificates, path.join(context, 'ca-certificates.crt'));
  writeFileSync(path.join(context, 'npmrc'), `registry=${registry}\ncafile=${certificates}\n`);
  cpSync(inRoot('test/containers/node/Dockerfile'), path.join(context, 'Dockerfile'));
  return context;
}

function emptyFolder(name) {
  const place = path.join(folder, name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  return place;
}

/** The folder of an unpacked npm package. */
async function packed(name) {
  const place = emptyFolder(`npm-${name.replaceAll(/[^\w.-]/g, '-')}`);
  must(name, await run('npm', ['pack', '--silent', name, '--pack-destination', place]));
  must(name, await run('sh', ['-c', 'tar -xzf "$1"/*.tgz -C "$1"', 'sh', place]));
  return path.join(place, 'package');
}

const fileOf = (name) =>
  PROGRAMS[name].file ?? path.join(PROGRAM_FOLDER, `${name}-${PROGRAMS[name].version}`);

const go = () => {
  const found = findGo();
  if (found !== null) return found;
  throw new SetupError(
    'no image can be pulled here, and there is no Go to build Temporal and a bucket with (https://go.dev/dl).',
  );
};

async function programs() {
  for (const [name, { module, version }] of Object.entries(PROGRAMS)) {
    if (isProgram(fileOf(name))) continue;
    sweepDrafts();
    await timed(`building ${name} ${version} with Go`, async () => {
      must(name, await buildWithGo(go(), module, version, fileOf(name)));
    });
  }
}

/** The files of a Go module, as its own image has them. */
async function moduleFolder(module, version) {
  const { ok, text } = await run(go(), ['mod', 'download', '-json', `${module}@v${version}`], {
    env: { GOFLAGS: '-mod=mod' },
  });
  must(module, { ok, text });
  return JSON.parse(text.slice(text.indexOf('{'))).Dir;
}

async function servicesFolder() {
  const context = emptyFolder('services');
  cpSync(inRoot('test/containers/services'), context, { recursive: true });
  const bin = path.join(context, 'programs/bin');
  mkdirSync(bin, { recursive: true });
  for (const name of Object.keys(PROGRAMS)) cpSync(fileOf(name), path.join(bin, name));
  cpSync(findTemporalCli(), path.join(bin, 'temporal'));
  const schema = path.join(await moduleFolder(server, TEMPORAL), 'schema/postgresql');
  cpSync(schema, path.join(context, 'programs/schema/postgresql'), { recursive: true });
  const settings = path.join(await moduleFolder(ui, TEMPORAL_UI), 'config');
  cpSync(settings, path.join(context, 'programs/ui'), { recursive: true });
  must('the services', await run('chmod', ['-R', 'u+w', context]));
  return context;
}
