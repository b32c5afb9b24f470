/**
 * The test runner. Files run in two processes against one shared Temporal server (test/support/global-setup.ts);
 * limits are generous, for they only end what hangs: no test may depend on how fast it runs.
 */
import { defineConfig } from 'vitest/config';

/** A person's settings must not reach the tests, least of all the token that pays. */
const PERSONAL =
  /^(AWS_|REPLICATE_|S3_|SIMULATOR_|STORAGE_|VIDEO_GENERATOR_|REFERENCE_|TEMPORAL_(?!CLI$)|API_KEYS(_FILE)?$|ALLOWED_HOSTS$|HOST$|PORT$|DATA_DIR$|MODEL_CATALOGUE$|LOG_LEVEL$)/;
for (const name of Object.keys(process.env)) {
  if (PERSONAL.test(name)) Reflect.deleteProperty(process.env, name);
}

/** Set by `npm run test:containers`, whose tests bring Temporal themselves. */
const IN_CONTAINERS = process.env['CONTAINERS'] !== undefined;
// Histories are recorded only when asked for: RECORD=1 npm test.
const TESTS = IN_CONTAINERS
  ? 'test/containers/*.ts'
  : process.env['RECORD'] === '1'
    ? 'test/replay/record.ts'
    : 'test/**/*.test.ts';

export default defineConfig({
  test: {
    include: [TESTS],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    globalSetup: IN_CONTAINERS ? [] : ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    expect: { poll: { timeout: 150_000 } },
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    passWithNoTests: false,
  },
});
