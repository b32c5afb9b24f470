/**
 * The two lanes of tests. The full one has every file; the fast one leaves these folders out, and so needs no
 * program but Node and Temporal's. A test that needs another program, or minutes, belongs into one of them.
 */
export const SLOW_FOLDERS = {
  'test/bench': 'runs benchmarks with their processes',
  'test/deploy': 'Helm, and a whole stack for its figures',
  'test/embedded': 'starts, kills and restarts Temporal servers',
  'test/fuzz': 'takes its input at random, as much as time allows',
  'test/scenarios': 'real workers, commands and crashes against the simulated provider',
  'test/setup': 'sets checkouts up',
  'test/storage': 'an S3 server that is built with Go, killed and restarted',
  'test/time-skipping': 'Java, for the Temporal server that skips time',
  'test/web': 'Chromium',
};

/** Words for vitest that leave them out. */
export const withoutSlow = () =>
  Object.keys(SLOW_FOLDERS).flatMap((folder) => ['--exclude', `${folder}/**`]);
