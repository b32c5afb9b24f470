/** C1: a prediction has at most one owner. */
import { mkdtemp, rm } from 'node:fs/promises';
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
