/** CLAIMS-1: a prediction has at most one owner. */
import { link, readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createWhole, readWhole } from '../../../src/adapters/storage/artifact-store.js';
import { createClaims } from '../../../src/adapters/storage/claims.js';
import { testFolder } from '../../support/test-folder.js';

it('of many clips that claim a prediction at once, one gets it, and keeps it', async () => {
  using temporary = testFolder('claims');
  const folder = temporary.path;
  const owners = Array.from({ length: 20 }, (_, index) => `job/${String(index)}`);
  const results = await Promise.all(
    owners.map((owner) => createClaims(folder).claim('prediction', owner)),
  );
  const winners = owners.filter((_, index) => results[index]);
  expect(winners).toHaveLength(1);
  const claims = createClaims(folder);
  expect(await claims.owner('prediction')).toBe(winners[0]);
  expect(await claims.claim('prediction', winners[0] ?? '')).toBe(true);
  expect(await claims.claim('prediction', 'job/another')).toBe(false);
  expect(await claims.owner('another')).toBeNull();
});

it('of two clips that claim at once exactly one wins, however often they race', async () => {
  using temporary = testFolder('claims');
  const folder = temporary.path;
  const [one, other] = [createClaims(folder), createClaims(folder)];
  const shared: string[] = [];
  for (let race = 0; race < 2_000; race++) {
    const id = `prediction-${String(race)}`;
    const won = await Promise.all([one.claim(id, 'job/0'), other.claim(id, 'job/1')]);
    if (won.filter(Boolean).length !== 1) shared.push(id);
  }
  expect(shared).toEqual([]);
});

const linkless =
  (code: string): typeof link =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));

it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
  'without hard links (%s) a file is made by exactly one, with and against processes that have them',
  async (code) => {
    using temporary = testFolder('linkless');
    const folder = temporary.path;
    for (let race = 0; race < 100; race++) {
      const target = path.join(folder, `claim-${String(race)}`);
      const words = ['a', 'b', 'c', 'd'];
      const made = await Promise.all(
        words.map((word, index) =>
          createWhole(target, word, { hardLink: index % 2 === 0 ? linkless(code) : link }),
        ),
      );
      const winners = words.filter((_, index) => made[index]);
      expect(winners).toHaveLength(1);
      expect(await readWhole(target)).toBe(winners[0]);
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  },
);

it('without hard links a disk error is reported, and not taken for a file that another process made', async () => {
  using temporary = testFolder('linkless');
  const folder = temporary.path;
  await expect(
    createWhole(path.join(folder, 'x'), 'x', { hardLink: linkless('ENOSPC') }),
  ).rejects.toThrow();
});
