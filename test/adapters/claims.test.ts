/** C1: a prediction has at most one owner. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createClaims } from '../../src/adapters/claims.js';

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

it('says beforehand that no claim can be written', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'claims-'));
  await createClaims(folder).check();
  await rm(path.join(folder, 'claims'), { recursive: true });
  await writeFile(path.join(folder, 'claims'), 'not a folder');
  await expect(createClaims(folder).check()).rejects.toThrow();
  await rm(folder, { recursive: true });
});
