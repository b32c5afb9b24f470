/** CLAIMS-1: a prediction has at most one owner. */
import { expect, it } from 'vitest';
import { createClaims } from '../../../src/adapters/storage/claims.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

it('of many clips that claim a prediction at once, one gets it, and keeps it', async () => {
  using temporary = testFolder('claims');
  const folder = temporary.path;
  const owners = Array.from({ length: 20 }, (_, index) => `job/${String(index)}`);
  const results = await Promise.all(
    owners.map((owner) => createClaims(createDirectoryStore(folder)).claim('prediction', owner)),
  );
  const winners = owners.filter((_, index) => results[index]);
  expect(winners).toHaveLength(1);
  const claims = createClaims(createDirectoryStore(folder));
  expect(await claims.owner('prediction')).toBe(winners[0]);
  expect(await claims.claim('prediction', winners[0] ?? '')).toBe(true);
  expect(await claims.claim('prediction', 'job/another')).toBe(false);
  expect(await claims.owner('another')).toBeNull();
});

it('of two clips that claim at once exactly one wins, however often they race', async () => {
  using temporary = testFolder('claims');
  const folder = temporary.path;
  const [one, other] = [
    createClaims(createDirectoryStore(folder)),
    createClaims(createDirectoryStore(folder)),
  ];
  const shared: string[] = [];
  for (let race = 0; race < 2_000; race++) {
    const id = `prediction-${String(race)}`;
    const won = await Promise.all([one.claim(id, 'job/0'), other.claim(id, 'job/1')]);
    if (won.filter(Boolean).length !== 1) shared.push(id);
  }
  expect(shared).toEqual([]);
});
