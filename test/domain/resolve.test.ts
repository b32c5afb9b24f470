/** What a plan becomes: exactly what is sent to each model, what it costs, and what is said about differences. */
import { describe, expect, it } from 'vitest';
import { checkPlan, type PlanContext } from '../../src/domain/check-plan.schema.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { brokenRules } from '../../src/domain/models/rules.js';
import { resolvePlan } from '../../src/domain/resolve.js';
import { providerInput, type ResolvedPlan } from '../../src/domain/resolved.js';
import { misfit } from '../../src/domain/settings.js';
import { clip, IMAGE, plan } from './bad-plans.js';

const context: PlanContext = {
  catalogue: CATALOGUE,
  default_model: 'kwaivgi/kling-v2.5-turbo-pro',
  duration_buffer: 1.25,
};

function resolved(value: unknown, more: Partial<PlanContext> = {}): ResolvedPlan {
  const checked = checkPlan(value, { ...context, ...more });
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.resolved;
}
const inputOf = (value: unknown): Record<string, unknown> => {
  const { model, clips } = resolved(value);
  const [first] = clips;
  return first === undefined ? {} : providerInput(model, first);
};
const withImage = (id: string, duration = 5, more: object = {}) =>
  plan({ model: id, ...more }, clip(0, { duration, scene_reference_url: IMAGE, seed: 7 }));

/** A five-second clip from an image with a seed, as each model gets it. */
const SENT: Record<string, Record<string, unknown>> = {
  'kwaivgi/kling-v2.1': { start_image: IMAGE, mode: 'standard', duration: 5 },
  'kwaivgi/kling-v2.5-turbo-pro': { start_image: IMAGE, duration: 5 },
  'kwaivgi/kling-v2.6': { start_image: IMAGE, duration: 5, generate_audio: false },
  'kwaivgi/kling-v3-video': { start_image: IMAGE, mode: 'pro', duration: 7, generate_audio: false },
  'kwaivgi/kling-v3-omni-video': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    mode: 'pro',
    duration: 7,
    generate_audio: false,
  },
  'google/veo-3.1': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 8,
    resolution: '1080p',
    generate_audio: false,
    seed: 7,
  },
  'google/veo-3.1-fast': {
    image: IMAGE,
    aspect_ratio: '16:9',
    duration: 8,
    resolution: '1080p',
    generate_audio: false,
    seed: 7,
  },
  'google/veo-3.1-lite': {
    image: IMAGE,
    aspect_ratio: '16:9',
    duration: 8,
    resolution: '720p',
    seed: 7,
  },
  'bytedance/seedance-1-pro': { image: IMAGE, duration: 7, resolution: '1080p', seed: 7 },
  'bytedance/seedance-1-lite': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 7,
    resolution: '720p',
    seed: 7,
  },
  'bytedance/seedance-2.0': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 7,
    resolution: '720p',
    generate_audio: false,
    seed: 7,
  },
  'minimax/hailuo-2.3': { first_frame_image: IMAGE, duration: 6, resolution: '768p' },
  'minimax/hailuo-2.3-fast': { first_frame_image: IMAGE, duration: 6, resolution: '768p' },
  'wan-video/wan-2.5-i2v': { image: IMAGE, duration: 5, resolution: '720p', seed: 7 },
  'wan-video/wan-2.2-i2v-fast': {
    image: IMAGE,
    num_frames: 100,
    frames_per_second: 16,
    resolution: '480p',
    interpolate_output: false,
    seed: 7,
  },
  'stability-ai/stable-video-diffusion': {
    input_image: IMAGE,
    video_length: '25_frames_with_svd_xt',
    frames_per_second: 6,
    motion_bucket_id: 127,
    sizing_strategy: 'maintain_aspect_ratio',
    seed: 7,
  },
  'thudm/cogvideox-i2v': { image: IMAGE, num_frames: 49, num_inference_steps: 50, seed: 7 },
  'lightricks/ltx-video': { image: IMAGE, length: 129, target_size: 640, steps: 30, seed: 7 },
};

describe('what is sent', () => {
  it('is written down for every row', () => {
    expect(Object.keys(SENT).sort()).toEqual([...CATALOGUE.keys()].sort());
  });

  it.each(Object.entries(SENT))('%s gets exactly its own inputs', (id, expected) => {
    const text = CATALOGUE.get(id)?.prompt === null ? {} : { prompt: 'clip 0' };
    expect(inputOf(withImage(id))).toEqual({ ...expected, ...text });
  });

  it.each([...CATALOGUE.values()])('$id accepts what it is sent, for every target', (row) => {
    for (const target of [0.5, 3, 4.9, 6.4, 8, 9.5, 14, 60]) {
      const input = inputOf(withImage(row.id, target));
      expect(brokenRules(row, input)).toEqual([]);
      for (const [name, value] of Object.entries(input)) {
        const field = row.inputs[name];
        if (field === undefined) throw new Error(`${row.id} has no input ${name}`);
        if (field.type === 'uri' || field.type === 'uris') continue;
        expect(misfit(field, value as string)).toBeNull();
      }
    }
  });

  it('keeps the texts out of the stored input and leaves an empty negative prompt away', () => {
    const { clips, model } = resolved(plan({}, clip(0, { negative_prompt: 'rain' }), clip(1)));
    expect(clips[0]?.input).toEqual({ aspect_ratio: '16:9', duration: 5 });
    expect(clips.map((item) => providerInput(model, item)['negative_prompt'])).toEqual([
      'rain',
      undefined,
    ]);
  });

  it('translates settings into the words of the model', () => {
    const svd = withImage('stability-ai/stable-video-diffusion', 3, {
      settings: { resolution: '1024x576', fps: 24, steps: 25, motion: 99 },
    });
    expect(inputOf(svd)).toMatchObject({
      sizing_strategy: 'crop_to_16_9',
      frames_per_second: 24,
      motion_bucket_id: 99,
    });
    expect(resolved(svd).clips[0]?.requested_duration).toBe(1.042);
    expect(resolved(svd).warnings.join('\n')).toMatch(
      /settings.steps: asked 25, but its number of steps is fixed/,
    );
    expect(
      inputOf(
        plan({ model: 'kwaivgi/kling-v3-video', settings: { resolution: '720p', audio: true } }),
      ),
    ).toMatchObject({ mode: 'standard', generate_audio: true });
    expect(
      inputOf(plan({ model: 'lightricks/ltx-video', settings: { resolution: '768', cfg: 5 } })),
    ).toMatchObject({ target_size: 768, cfg: 5 });
  });

  it('says what CogVideoX makes instead of 768x768', () => {
    const { warnings } = resolved(
      withImage('thudm/cogvideox-i2v', 6, { settings: { resolution: '768x768' } }),
    );
    expect(warnings).toContain(
      'settings.resolution: asked "768x768", but it makes 720x480, its only size (thudm/cogvideox-i2v)',
    );
  });

  it('pins a community model, and says when its version has to be looked up', () => {
    expect(resolved(withImage('lightricks/ltx-video')).model.version).toMatch(/^8c47da/);
    expect(resolved(withImage('thudm/cogvideox-i2v')).model).toMatchObject({
      version: null,
      needs_version: true,
    });
    expect(resolved(plan()).model).not.toHaveProperty('needs_version');
  });
});

describe('resolvePlan', () => {
  it('fills in defaults and puts clips in ascending order', () => {
    const { clips, ...job } = resolved(plan({}, clip(7), clip(2)));
    expect(clips.map((item) => item.clip_index)).toEqual([2, 7]);
    expect(job).toMatchObject({
      batch_size: 5,
      dispatch: 'batches',
      min_successful_clips: 2,
      max_cost_usd: null,
      clip_timeout: 900,
      stop_when_unreachable: true,
      on_bad_reference: 'fail',
    });
    expect(resolved(plan({}, ...[0, 1, 2, 3].map((i) => clip(i)))).min_successful_clips).toBe(3);
  });

  it('keeps the original target through everything', () => {
    const { clips } = resolved(
      plan({}, clip(0, { duration: 6, original_target_duration: 5 }), clip(1)),
    );
    expect(clips.map((item) => item.original_target_duration)).toEqual([5, 5]);
    expect(clips.map((item) => item.target_duration)).toEqual([6, 5]);
  });

  it("prefers the plan's buffer to the environment's", () => {
    const ask = (more: object) =>
      resolved(plan({ model: 'bytedance/seedance-1-pro', ...more }, clip(0, { duration: 4 })))
        .clips[0]?.requested_duration;
    expect([ask({}), ask({ duration_buffer: 1 }), ask({ duration_buffer: 2 })]).toEqual([5, 4, 8]);
  });

  it.each([
    [5.1, 100],
    [7.5, 100],
    [7.6, 0],
    [5, 0],
  ])('Kling: %d s costs %d %% more than the closest length', (duration, percent) => {
    expect(resolved(plan({}, clip(0, { duration }))).clips[0]?.cost_increase_percent).toBe(percent);
  });

  it('warns when the buffer costs more than a fifth, for the clips and for the job', () => {
    const { warnings, cost_increase_percent } = resolved(
      plan({}, clip(0, { duration: 5.1 }), clip(1), clip(2, { duration: 5.2 })),
    );
    expect(cost_increase_percent).toBe(66.7);
    expect(warnings).toContain(
      'the requested durations cost 66.7 % more than the closest ones would',
    );
    expect(warnings).toContain('clips 0, 2: 10 s cost 100 % more than the closest length, 5 s');
    expect(resolved(plan()).warnings).toEqual([]);
  });

  it('plans a target beyond the longest length at that length, with a warning', () => {
    const { clips, warnings } = resolved(plan({}, clip(3, { duration: 12 })));
    expect(clips[0]?.requested_duration).toBe(10);
    expect(warnings).toEqual([
      'clip 3: 12 s is longer than kwaivgi/kling-v2.5-turbo-pro can make: planned at 10 s of 5 or 10 s',
    ]);
  });

  it('lets rules between inputs narrow the lengths, and says which', () => {
    const hailuo = plan(
      { model: 'minimax/hailuo-2.3', settings: { resolution: '1080p' } },
      clip(0, { duration: 8 }),
    );
    const { clips, warnings } = resolved(hailuo);
    expect(clips[0]).toMatchObject({ requested_duration: 6, estimated_cost_usd: 0.49 });
    expect(warnings.join()).toContain('10 s needs 768p');
    const lite = plan(
      { model: 'google/veo-3.1-lite', settings: { resolution: '1080p' } },
      clip(0, { duration: 3 }),
    );
    expect(resolved(lite).clips[0]).toMatchObject({
      requested_duration: 8,
      estimated_cost_usd: 0.64,
    });
  });

  it('says once what holds for many clips', () => {
    const clips = Array.from({ length: 40 }, (_, index) => clip(index, { duration: 12, seed: 1 }));
    const { warnings } = resolved({ clip_prompts: clips });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('takes no seed');
    expect(warnings[1]).toMatch(/^all 40 clips: /);
  });

  it('leaves costs open where no price is known', () => {
    const job = resolved(plan({ model: 'bytedance/seedance-2.0' }));
    expect(job.estimated_cost_usd).toBeNull();
    expect(job.warnings.join()).toContain('no price of bytedance/seedance-2.0 is known');
  });

  it('accepts a cap that pays the cheapest clips a success needs', () => {
    const cap = plan(
      { max_cost_usd: 0.35, min_successful_clips: 1 },
      clip(0, { duration: 9 }),
      clip(1),
    );
    expect(resolved(cap).max_cost_usd).toBe(0.35);
  });

  it('throws for a plan that was never checked', () => {
    expect(() => resolvePlan({ model: 'x/y', clip_prompts: [] }, context)).toThrow(
      /model: expected one of/,
    );
  });
});
