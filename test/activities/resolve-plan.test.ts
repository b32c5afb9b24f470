/** When the check of a plan may ask the provider, and what it writes down. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createResolvePlan } from '../../src/activities/resolve-plan.js';
import { PAID_TIMINGS } from '../../src/contract/timings.js';
import { CONTEXT } from '../support/checked-plans.js';
import { notedCreates } from '../support/creates.js';

const VERSION = 'a'.repeat(64);
const AT = '2026-11-28T12:00:00.000Z';

function world() {
  const asked: string[] = [];
  const opened: string[] = [];
  const resolvePlan = createResolvePlan({
    plan: CONTEXT,
    creates: {
      ...notedCreates(),
      open: (_job: string, at: string) => Promise.resolve(void opened.push(at)),
    },
    timings: PAID_TIMINGS,
    replicate: {
      latestVersion: (model: string) => {
        asked.push(model);
        return Promise.resolve({ type: 'found', version: VERSION });
      },
    },
  } as unknown as Deps);
  const run = (model: string, isLocal: boolean) =>
    new MockActivityEnvironment({ isLocal }).run(resolvePlan, planFor(model), AT);
  return { asked, opened, run };
}

const planFor = (model: string) => ({
  model,
  clip_prompts: [
    { clip_index: 0, prompt: 'a', duration: 5, scene_reference_url: 'https://example.com/a.png' },
  ],
});

describe('within a workflow task', () => {
  it('a plan is resolved without a request to the provider, and its creates are written down from then on', async () => {
    const { asked, opened, run } = world();
    expect(await run('kwaivgi/kling-v2.5-turbo-pro', true)).toMatchObject({
      resolved: { model: { id: 'kwaivgi/kling-v2.5-turbo-pro' } },
    });
    expect(asked).toEqual([]);
    expect(opened).toEqual([AT]);
  });

  it('a model whose version has to be asked for is left to an activity that does so', async () => {
    const { asked, run } = world();
    expect(await run('thudm/cogvideox-i2v', true)).toBeNull();
    expect(asked).toEqual([]);
    expect(await run('thudm/cogvideox-i2v', false)).toMatchObject({
      resolved: { model: { version: VERSION } },
    });
    expect(asked).toEqual(['thudm/cogvideox-i2v']);
  });
});
