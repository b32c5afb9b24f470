/**
 * Programs that some tests need and a machine may not have. Where one is missing its tests are skipped, and say so;
 * where CI is set, the lack is an error: setup/test-extras.mjs brings them there.
 */
import { existsSync } from 'node:fs';
import { isProgram, programPath } from '../../setup/programs.mjs';
import {
  BUCKET_SERVER,
  CHROMIUM,
  HELM,
  SCHEMATHESIS_LIST,
  skips,
  TIME_SKIPPING_SERVER,
} from '../../setup/test-extras.mjs';

const PROGRAMS = {
  'an S3 server': () => isProgram(BUCKET_SERVER),
  chromium: () => existsSync(CHROMIUM),
  Helm: () => isProgram(HELM),
  openssl: () => programPath('openssl') !== null,
  python3: () => programPath('python3') !== null,
  schemathesis: () => existsSync(SCHEMATHESIS_LIST),
  // Other systems have a `script` with other switches.
  script: () => process.platform === 'linux' && programPath('script') !== null,
  'the time-skipping server': () => existsSync(TIME_SKIPPING_SERVER),
};

/** For `describe.skipIf(lacks('chromium'))`; throws where CI is set. */
export function lacks(program: keyof typeof PROGRAMS): boolean {
  if (PROGRAMS[program]()) return false;
  skips('tests of this file', `there is no ${program}`);
  return true;
}
