/** Hints through the store: what an API says of a prediction reaches the worker that waits for it, without a common folder. */
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import {
  storePollHint,
  watchStoredHints,
} from '../../../src/adapters/replicate/stored-poll-hints.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';
import type { Store } from '../../../src/adapters/storage/store.js';
import { eventually } from '../../support/eventually.js';
import { testFolder } from '../../support/test-folder.js';

let store: Store;
beforeEach(() => {
  const own = testFolder('hints');
  store = createDirectoryStore(own.path);
  return own.remove;
});

const stored = async (): Promise<string[]> => (await store.list('wakes/')).keys;
const watcher = (own: Store = store) => {
  const hints = watchStoredHints(own, 5);
  onTestFinished(() => {
    hints.close();
  });
  return hints;
};

it('a hint reaches the worker that waits for the prediction, and is removed by it', async () => {
  const others: string[] = [];
  watcher().on('other', () => others.push('other'));
  await new Promise<void>((told) => {
    watcher().on('p/1 ü', told);
    void storePollHint(store, 'p/1 ü');
  });
  await eventually('the hint to be removed', async () => {
    const value = await stored();
    return { done: value.length === 0, value };
  });
  expect(others).toEqual([]);
});

it('a hint that comes before the worker waits is told once it does', async () => {
  await storePollHint(store, 'early');
  await new Promise<void>((told) => {
    watcher().on('early', told);
  });
});

it('a worker that waits for no prediction lists nothing', async () => {
  let lists = 0;
  watcher({
    ...store,
    list: (...given) => {
      lists += 1;
      return store.list(...given);
    },
  });
  const waiting = watcher();
  for (const id of ['a', 'b', 'c']) {
    await new Promise<void>((told) => {
      waiting.on(id, told);
      void storePollHint(store, id);
    });
  }
  expect(lists).toBe(0);
});

it('a store that fails costs the hints of that moment, and no more', async () => {
  let fails = 3;
  const shaky: Store = {
    ...store,
    list: (...given) =>
      fails-- > 0 ? Promise.reject(new Error('SlowDown')) : store.list(...given),
  };
  await storePollHint(store, 'a');
  await new Promise<void>((told) => {
    watcher(shaky).on('a', told);
  });
  expect(fails).toBeLessThan(1);
});
