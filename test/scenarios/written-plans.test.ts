/** Plans as other programs write them, straight into the workflow: what they mean is what runs, and it is paid once. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { wellFormed } from '../../src/domain/values/well-formed.js';
import { anyText } from '../domain/values/any-text.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { bytes, ImageHost, picture } from '../support/image-host.js';
import { World, type Run } from '../support/world.js';

/** As nothing has checked it. */
const started = (world: World, plan: unknown): Promise<Run> => world.start(plan as Plan);

describe('a plan with halves of surrogate pairs', () => {
  it('whose creates were never answered is found again by what the provider has stored, and paid once', async () => {
    await using world = await World.create();
    await world.startWorker();
    const texts = [
      ...[
        'half \ud83d',
        '\udc00 half',
        '\ud83d\ud83d\ude00',
        '\u0000 nul',
        '\ufffe\uffff',
        '\\ud83d',
      ],
      ...fc.sample(anyText, 24),
    ];
    const prompts = texts.map((text, index) => `[[accept-then-drop]] ${String(index)} ${text}`);
    const run = await started(world, {
      dispatch: 'window',
      batch_size: 10,
      clip_prompts: texts.map((text, clip_index) => ({
        clip_index,
        prompt: prompts[clip_index],
        negative_prompt: text,
        metadata: { [`key ${text}`]: [text] },
        duration: 5,
      })),
    });
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: texts.length });
    for (const [index, clip] of job.clips.entries()) {
      expect(clip.prompt).toBe(prompts[index]?.toWellFormed());
      expect(clip.metadata).toEqual(wellFormed({ [`key ${texts[index] ?? ''}`]: [texts[index]] }));
      expect(clip.predictions.map(({ adopted }) => adopted)).toEqual([true]);
    }
    const stats = await world.stats();
    expect(stats.struck['accept-then-drop']).toBe(texts.length);
    expect(stats.creates).toBe(texts.length);
    expectSameLedger(stats, job);
  });

  it('in an unknown field is refused like any other', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await started(world, {
      clip_prompts: [{ clip_index: 0, prompt: 'a', duration: 5 }],
      settings: { 'mode \ud83d': '\ud83d' },
      'x \ud83d': 1,
    });
    const error: unknown = await run.handle.result().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    const { cause } = error as WorkflowFailedError;
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect((cause as ApplicationFailure).type).toBe('InvalidPlan');
    expect(cause?.message).toContain('settings.mode \ufffd: expected');
  });
});

describe('a plan as a planner in Python writes it', () => {
  it('with null for what it does not say, the noise of floats, and signed URLs, runs as it was meant', async () => {
    const signed = `/scene.jpg?${'X-Amz-Security-Token='.padEnd(8100, 'a')}`;
    await using host = await ImageHost.start({ [signed]: bytes(await picture()) });
    await using world = await World.create({ env: { REFERENCE_ALLOW_HOSTS: '127.0.0.1' } });
    await world.startWorker();
    const nothing = {
      negative_prompt: null,
      original_target_duration: null,
      scene_reference_url: null,
      character_reference_urls: null,
      object_reference_urls: null,
      seed: null,
      metadata: null,
    };
    const run = await started(world, {
      job_id: null,
      model: null,
      aspect_ratio: null,
      settings: null,
      batch_size: 5.000000000000001,
      dispatch: null,
      min_successful_clips: null,
      // Two clips of 5 s at 7 cents a second, as a float adds them up.
      max_cost_usd: 0.7 - 1e-16,
      duration_buffer: null,
      clip_timeout: null,
      stop_when_unreachable: null,
      reference_mode: null,
      on_bad_reference: null,
      total_clips: 2.0000000000000004,
      generation_time: null,
      clip_prompts: [
        { ...nothing, clip_index: 0, prompt: 'a quay', duration: 8.3 - 3.3 },
        {
          ...nothing,
          clip_index: 1.0000000000000002,
          prompt: 'a pier',
          duration: 5.000000000000001,
          scene_reference_url: host.url(signed),
        },
      ],
    });
    const job = await run.end();

    expect(job).toMatchObject({
      status: 'succeeded',
      warnings: [],
      max_cost_usd: 0.7,
      total_cost_usd: 0.7,
      clips: [
        { clip_index: 0, target_duration: 5, original_target_duration: 5, requested_duration: 5 },
        { clip_index: 1, target_duration: 5, requested_duration: 5, metadata: {} },
      ],
    });
    expect(host.hits.get(signed)).toBe(1);
    const { predictions } = await world.stats();
    const sent = predictions.map(({ input }) => input['start_image']).filter(Boolean);
    expect(sent).toEqual([host.url(signed)]);
  });
});
