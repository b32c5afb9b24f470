import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Gate, type Leave } from '../../../src/api/load/gate.js';

const forEver = 60_000;

describe('a gate', () => {
  it('never has more inside than its limit, and admits those that wait in their order, whichever leaves first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.constantFrom('enter', 'leave', 'give up'), { maxLength: 60 }),
        async (at_once, steps) => {
          const gate = new Gate({ at_once, waiting: 1_000 }, forEver);
          const inside: { place: number; leave: Leave }[] = [];
          const entered: number[] = [];
          const waiting: { place: number; client: AbortController }[] = [];
          let place = 0;
          for (const step of steps) {
            if (step === 'enter') {
              const mine = (place += 1);
              const client = new AbortController();
              waiting.push({ place: mine, client });
              gate.enter(client.signal).then(
                (leave) => {
                  inside.push({ place: mine, leave });
                  entered.push(mine);
                  waiting.splice(
                    waiting.findIndex((other) => other.place === mine),
                    1,
                  );
                },
                () => undefined,
              );
            }
            if (step === 'leave') inside.shift()?.leave();
            if (step === 'give up') waiting.pop()?.client.abort();
            await new Promise(setImmediate);
            expect(inside.length).toBeLessThanOrEqual(at_once);
            expect(inside.length === at_once || waiting.length === 0).toBe(true);
            expect(gate.figures).toMatchObject({ inside: inside.length, waiting: waiting.length });
          }
          expect(entered).toEqual([...entered].sort((a, b) => a - b));
          for (const { client } of waiting) client.abort();
        },
      ),
    );
  });

  it('lets one in for one that leaves, however often that says so', async () => {
    const gate = new Gate({ at_once: 1, waiting: 2 }, forEver);
    const { signal } = new AbortController();
    const leave = await gate.enter(signal);
    const second = gate.enter(signal);
    const third = gate.enter(signal);
    leave();
    leave();
    await second;
    expect(gate.figures).toMatchObject({ inside: 1, waiting: 1 });
    (await second)();
    (await third)();
    expect(gate.figures).toEqual({ inside: 0, waiting: 0, most: 1 });
  });

  it('refuses with 503 and Retry-After a request that finds too many waiting, or has waited too long', async () => {
    const gate = new Gate({ at_once: 1, waiting: 1 }, 1);
    const { signal } = new AbortController();
    await gate.enter(signal);
    const patient = gate.enter(signal);
    const refusal = { status: 503, headers: { 'retry-after': '5' } };
    await expect(gate.enter(signal)).rejects.toMatchObject(refusal);
    await expect(patient).rejects.toMatchObject(refusal);
    expect(gate.figures).toMatchObject({ inside: 1, waiting: 0 });
  });
});
