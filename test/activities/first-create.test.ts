import { expect, it } from 'vitest';
import { paid } from './paid.js';

it('a first execution asks nobody and tells nobody before its create', async () => {
  const told: number[] = [];
  const world = paid({
    create: () => {
      told.push(world.signals.length);
      return Promise.resolve({ type: 'unclear', message: 'cut off' });
    },
  });
  await world.run().catch(() => undefined);
  expect(world.did[0]).toBe('create');
  expect(told[0]).toBe(0);
});
