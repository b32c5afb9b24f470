import { expect, it } from 'vitest';
import { createTurns } from '../../../src/domain/values/semaphore.js';

it('lets so many work at once, the others in order, also after one that failed', async () => {
  const inTurn = createTurns(2);
  const begun: number[] = [];
  const open = new Map<number, { end: () => void; fail: () => void }>();
  const work = (index: number): Promise<number> =>
    inTurn(() => {
      begun.push(index);
      return new Promise((resolve, reject) => {
        open.set(index, {
          end: () => {
            resolve(index);
          },
          fail: () => {
            reject(new Error('broken'));
          },
        });
      });
    });
  const all = [0, 1, 2, 3].map(work);
  const failed = expect(all[1]).rejects.toThrow('broken');
  expect(begun).toEqual([0, 1]);
  open.get(1)?.fail();
  await failed;
  expect(begun).toEqual([0, 1, 2]);
  open.get(0)?.end();
  expect(await all[0]).toBe(0);
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const index of [2, 3]) open.get(index)?.end();
  expect(await Promise.all([all[2], all[3]])).toEqual([2, 3]);
});
