/** The log of creates: entries are whole, made once, and removed only when no clip needs them. */
import { access, readdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCreates } from '../../../src/adapters/storage/create-log.js';
import type { CreateIntent } from '../../../src/domain/job/create-intent.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const intent = (execution: number): CreateIntent => ({
  at: '2030-01-01T00:00:00.000Z',
  run_id: 'run',
  activity_id: 'clip-0',
  execution,
  attempt: 1,
  model: 'a/b',
  input_sha256: 'x',
});

let folder: string;
beforeEach(() => {
  const own = testFolder('creates');
  folder = own.path;
  return own.remove;
});

describe('the creates of a clip', () => {
  it('are read by every process, in order, each with its result', async () => {
    const clip = createCreates(createDirectoryStore(folder)).of('job', 7);
    expect(await clip.earlier()).toEqual({ creates: [], last: 0 });
    for (const number of [1, 2, 10]) expect(await clip.begin(number, intent(number))).toBe(true);
    await clip.answer(1, 'first');
    await clip.answer(2, null);
    const all = [
      { ...intent(1), number: 1, prediction_id: 'first' },
      { ...intent(2), number: 2, prediction_id: null },
      { ...intent(10), number: 10 },
    ];
    expect(await createCreates(createDirectoryStore(folder)).of('job', 7).earlier()).toEqual({
      creates: all,
      last: 10,
    });
    expect(await createCreates(createDirectoryStore(folder)).of('job', 8).earlier()).toMatchObject({
      creates: [],
    });
    expect(
      await createCreates(createDirectoryStore(folder)).of('another', 7).earlier(),
    ).toMatchObject({ creates: [] });
  });

  it('are read from the newest back to the first with a known prediction', async () => {
    const clip = createCreates(createDirectoryStore(folder)).of('job', 7);
    for (const number of [1, 2, 3]) {
      await clip.begin(number, intent(number));
      await clip.answer(number, `p${String(number)}`);
    }
    await clip.begin(4, intent(4));
    const { creates: earlier, last } = await clip.earlier(new Set(['p1', 'p3']));
    expect(earlier.map(({ number }) => number)).toEqual([3, 4]);
    expect(last).toBe(4);
  });

  it('are begun by exactly one of many executions', async () => {
    const racing = Array.from({ length: 20 }, (_, index) =>
      createCreates(createDirectoryStore(folder)).of('job', 0).begin(1, intent(index)),
    );
    expect((await Promise.all(racing)).filter(Boolean)).toHaveLength(1);
  });

  it('that were not sent leave no entry', async () => {
    const clip = createCreates(createDirectoryStore(folder)).of('job', 0);
    await clip.begin(1, intent(1));
    await clip.withdraw(1);
    expect(await clip.earlier()).toEqual({ creates: [], last: 0 });
    expect(await clip.begin(1, intent(2))).toBe(true);
  });

  it('keep the prediction that was found when another execution has found none', async () => {
    const clip = createCreates(createDirectoryStore(folder)).of('job', 0);
    await clip.begin(1, intent(1));
    await clip.answer(1, null);
    await clip.answer(1, 'late');
    await clip.answer(1, null);
    expect(await clip.earlier()).toMatchObject({ creates: [{ prediction_id: 'late' }] });
  });

  it('are complete from the first time that was given; before that, the time is unknown', async () => {
    const creates = createCreates(createDirectoryStore(folder));
    expect(await creates.of('job', 0).since()).toBeNull();
    await creates.open('job', 'first');
    await creates.open('job', 'second');
    expect(await creates.of('job', 0).since()).toBe('first');
    expect(await creates.of('another', 0).since()).toBeNull();
  });
});

it('are removed a day after the last create of their job, together with the time from which they are complete', async () => {
  const creates = createCreates(createDirectoryStore(folder));
  const HOUR = 3_600_000;
  for (const job of ['old', 'busy']) {
    await creates.open(job, 'since');
    await creates.of(job, 3).begin(1, intent(1));
  }
  const long = new Date(Date.now() - 30 * HOUR);
  for (const place of ['old/3/1', 'old/since', 'busy/since']) {
    await utimes(path.join(folder, 'creates', place), long, long);
  }
  expect(await creates.sweep()).toBe(1);
  expect(await readdir(path.join(folder, 'creates'))).toEqual(['busy']);
  expect(await creates.of('old', 3).since()).toBeNull();
  expect(await creates.of('busy', 3).earlier()).toMatchObject({ last: 1 });
  await expect(access(path.join(folder, 'creates', 'old'))).rejects.toThrow();
  expect(await createCreates(createDirectoryStore(path.join(folder, 'nowhere'))).sweep()).toBe(0);
});
