/** Runs vitest in a child process and resolves to its exit code. The first signal is passed on, with time to clean up. */
import { inRoot } from './paths.mjs';
import { run, stopChildren } from './processes.mjs';

/** Milliseconds in which tests end their servers and processes. */
const GRACE_MS = 20_000;

export async function runVitest(words, env = {}) {
  let stopped = null;
  const stop = (signal) => {
    if (stopped !== null) return;
    stopped = signal;
    void stopChildren(GRACE_MS);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  const script = inRoot('node_modules/vitest/vitest.mjs');
  const { code } = await run(process.execPath, [script, ...words], { env, output: 'inherit' });
  return { code: code ?? 1, stopped };
}
