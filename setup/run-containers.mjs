/**
 * `npm run test:containers`: builds the image, starts the stack of docker-compose.yml under a name and on ports of its own, and runs
 * test/containers/ against it. With images of registries where they can be pulled, else (or with `--local`) with images made here.
 * Where Docker is missing it says so in one sentence, which is a failure only where CI is set.
 */
import { readFileSync } from 'node:fs';
import { buildImage, findCompose, findEngine } from './docker.mjs';
import { LOCAL_IMAGES, makeLocalImages } from './local-images.mjs';
import { inRoot } from './paths.mjs';
import { errorLine, run, stopChildren } from './processes.mjs';
import { SetupError, timed } from './say.mjs';
import { skips } from './test-extras.mjs';
import { runVitest } from './vitest.mjs';

const TESTS = 'the tests in containers';
const PROJECT = 'clip-generator-test';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Milliseconds in which containers end. */
const GRACE_MS = 20_000;
const LOCAL_FILE = 'test/containers/docker-compose.local.yml';

export async function main(words) {
  const local = words.includes('--local');
  const rest = words.filter((word) => word !== '--local');
  const engine = await findEngine();
  if (engine.missing !== undefined) {
    skips(TESTS, engine.missing);
    return 0;
  }
  let stopped = null;
  const stop = (signal) => {
    stopped ??= signal;
    void stopChildren(GRACE_MS);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    const program = await findCompose();
    if (program === null) {
      skips(TESTS, 'there is no Docker Compose 2, and no Go to build it with');
      return 0;
    }
    const code = await test([...program, '--project-name', PROJECT], { local, rest });
    return stopped === null ? code : stopped === 'SIGINT' ? 130 : 143;
  } finally {
    await engine.stop();
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

async function test(compose, { local, rest }) {
  const files = ['docker-compose.yml'];
  let images = {};
  if (local || !(await canPull([...compose, '--file', 'docker-compose.yml']))) {
    await makeLocalImages();
    files.push(LOCAL_FILE);
    images = { NODE_IMAGE: LOCAL_IMAGES.node, BASE_IMAGE: LOCAL_IMAGES.debian };
  }
  await timed('building the image', async () => {
    const { ok, text } = await buildImage(ownImage(), inRoot(), images);
    if (!ok) throw new SetupError(`building the image failed: ${errorLine(text)}`);
  });
  const words = [...compose, ...files.flatMap((file) => ['--file', file])];
  try {
    return (await runVitest(['run', ...rest], { CONTAINERS: JSON.stringify(words) })).code;
  } finally {
    await run(words[0], [...words.slice(1), 'down', '--volumes', '--timeout', '10']);
  }
}

function ownImage() {
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return `clip-generator:${version}`;
}

async function canPull([program, ...words]) {
  let answer = false;
  await timed('pulling images', async () => {
    const pulled = await run(program, [...words, 'pull', '--ignore-buildable', '--quiet']);
    answer = pulled.ok;
    return answer
      ? 'images pulled'
      : `no image can be pulled (${errorLine(pulled.text).slice(0, 120)}); making them here`;
  });
  return answer;
}
