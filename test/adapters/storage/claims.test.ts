/** C1: a prediction has at most one owner. */
import { link, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createWhole, readWhole } from '../../../src/adapters/storage/artifact-store.js';
import { createClaims } from '../../../src/adapters/storage/claims.js';

it('of many who claim a prediction at once, one gets it, and keeps it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claims-'));
  const owners = Array.from({ length: 20 }, (_, index) => `job/${String(index)}`);
  const results = await Promise.all(
    owners.map((owner) => createClaims(folder).claim('prediction', owner)),
  );
  const winners = owners.filter((_, index) => results[index]);
  expect(winners).toHaveLength(1);
  const claims = createClaims(folder);
  expect(await claims.owner('prediction')).toBe(winners[0]);
  expect(await claims.claim('prediction', winners[0] ?? '')).toBe(true);
  expect(await claims.claim('prediction', 'somebody else')).toBe(false);
  expect(await claims.owner('another')).toBeNull();
  await rm(folder, { recursive: true });
});

it('of two who claim at once there is never one too many, however often they race', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claims-'));
  const [one, other] = [createClaims(folder), createClaims(folder)];
  const shared: string[] = [];
  for (let race = 0; race < 2_000; race++) {
    const id = `prediction-${String(race)}`;
    const won = await Promise.all([one.claim(id, 'job/0'), other.claim(id, 'job/1')]);
    if (won.filter(Boolean).length !== 1) shared.push(id);
  }
  expect(shared).toEqual([]);
  await rm(folder, { recursive: true });
});

const linkless =
  (code: string): typeof link =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));

it.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])(
  'without hard links (%s) a file is made by exactly one, with and against others that have them',
  async (code) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'linkless-'));
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
    await rm(folder, { recursive: true });
  },
);

it('without hard links a disk that refuses is an error, not a file that another made', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'linkless-'));
  await expect(
    createWhole(path.join(folder, 'x'), 'x', { hardLink: linkless('ENOSPC') }),
  ).rejects.toThrow();
  await rm(folder, { recursive: true });
});
