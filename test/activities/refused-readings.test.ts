/** G2: a token that is refused during a render ends nothing that was paid, and the job is told why it stands still. */
import { describe, expect, it } from 'vitest';
import type { ReadOutcome } from '../../src/adapters/replicate/replicate-client.js';
import { paidActivity } from './paid-activity.js';
import { rendered } from './rendered.js';

const REFUSED: ReadOutcome = {
  type: 'unreadable',
  message: 'HTTP 401: Unauthenticated',
  refused: 'unauthorized',
};

/** Says so, so many times in a row, and then how the render ended. */
const after = (times: number) => {
  let left = times;
  return paidActivity({
    read: () => (left-- > 0 ? REFUSED : { type: 'found', prediction: rendered('own') }),
  });
};

describe('a token that is refused during a render', () => {
  it('is told to the job once, and the render is fetched when the token works again', async () => {
    const world = after(9);
    expect(await world.run({})).toMatchObject({ outcome: 'succeeded', prediction: { id: 'own' } });
    expect(world.signals.map(([name]) => name)).toEqual(['predictionCreated', 'providerRefuses']);
    expect(world.signals[1]?.[1]).toMatchObject({
      clip_index: 0,
      kind: 'unauthorized',
      message: expect.stringContaining('HTTP 401: Unauthenticated') as string,
    });
    expect(world.did.filter((act) => act === 'create')).toHaveLength(1);
  });

  it('is the reason given when the end is unknown after the time of the clip', async () => {
    let cancel: () => void = () => undefined;
    const world = paidActivity({
      read: () => REFUSED,
      onSignal: (name) => {
        if (name === 'providerRefuses') cancel();
      },
    });
    const run = world.run({}, {}, (environment) => {
      cancel = () => {
        environment.cancel();
      };
    });
    const refused = {
      kind: 'unauthorized',
      message: expect.stringContaining('HTTP 401') as string,
    };
    await expect(run).rejects.toMatchObject({
      details: [{ prediction: { id: 'own', status: 'starting' }, output_url: null, refused }],
    });
  });

  it('is not told for one answer that says so', async () => {
    const world = after(1);
    await world.run({});
    expect(world.signals.map(([name]) => name)).toEqual(['predictionCreated']);
  });
});
