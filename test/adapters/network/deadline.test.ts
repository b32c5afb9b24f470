/** A deadline that garbage collection cannot take away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { deadline } from '../../../src/adapters/network/deadline.js';
import { eventually } from '../../support/eventually.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a deadline', () => {
  it('fires together with a signal that never does, also after garbage collections', async () => {
    const outer = new AbortController();
    const { signal } = deadline(200, outer.signal);
    // Garbage collection needs the turn to be over.
    await sleep(1);
    collectGarbage();
    await eventually('the deadline', () =>
      Promise.resolve({ done: signal.aborted, value: signal.aborted }),
    );
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('fires with the outer signal, and with its reason', () => {
    const outer = new AbortController();
    using limit = deadline(60_000, outer.signal);
    outer.abort('enough');
    expect(limit.signal).toMatchObject({ aborted: true, reason: 'enough' });
  });
});
