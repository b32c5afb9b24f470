/** Poll hints, from the process that takes webhooks to the workers that poll. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { sendPollHint, watchPollHints } from '../../../src/adapters/replicate/poll-hints.js';
import type { PollHints } from '../../../src/adapters/replicate/poll-hints.js';
import { testFolder } from '../../support/test-folder.js';

let folder: string;
let hints: PollHints;
beforeEach(() => {
  const own = testFolder('poll-hints');
  folder = own.path;
  hints = watchPollHints(folder);
  return () => {
    hints.close();
    own.remove();
  };
});

const called = (id: string): Promise<void> =>
  new Promise((resolve) => {
    hints.on(id, resolve);
  });

it('reach the listener of their prediction', async () => {
  const heard = called('a');
  await sendPollHint(folder, 'a');
  await heard;
});

it('that come before their listener are kept for it', async () => {
  const later = called('b');
  await sendPollHint(folder, 'a');
  await sendPollHint(folder, 'b');
  // What came before it has been seen.
  await later;
  let isCalled = false;
  hints.on('a', () => (isCalled = true))();
  expect(isCalled).toBe(true);
});

it('reach no listener that has stopped, and find their folder again', async () => {
  let calls = 0;
  hints.on('a', () => (calls += 1))();
  await rm(path.join(folder, 'wakes'), { recursive: true });
  await sendPollHint(folder, 'a');
  expect(calls).toBe(0);
});
