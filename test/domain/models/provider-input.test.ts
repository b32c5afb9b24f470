/** Exactly what each model is sent: its own names, its own values, nothing it does not know. */
import { describe, expect, it } from 'vitest';
import type { PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { brokenRules } from '../../../src/domain/models/rules.js';
import { withUpload } from '../../../src/domain/references/clip-references.js';
import { providerInput, type ResolvedPlan } from '../../../src/domain/plan/resolved.js';
import { misfit } from '../../../src/domain/plan/model-settings.js';
import { clip, IMAGE, plan } from '../plan/bad-plans.js';
import { ALIVE } from './rows.js';
import { accepted, ALIVE_CONTEXT, problemsOf } from '../../support/checked-plans.js';

const resolved = (value: unknown, more: Partial<PlanContext> = {}): ResolvedPlan =>
  accepted(value, { ...ALIVE_CONTEXT, ...more }).resolved;
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
  'kwaivgi/kling-o1': { reference_images: [IMAGE], aspect_ratio: '16:9', mode: 'pro', duration: 5 },
  'bytedance/seedance-2.0-fast': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 7,
    resolution: '720p',
    generate_audio: false,
    seed: 7,
  },
  'bytedance/seedance-2.0-mini': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 7,
    resolution: '720p',
    generate_audio: false,
    seed: 7,
  },
  'bytedance/seedance-2.5': {
    reference_images: [IMAGE],
    aspect_ratio: '16:9',
    duration: 7,
    resolution: '720p',
    generate_audio: false,
    output_format: 'mp4',
    seed: 7,
  },
  'minimax/h3': {
    reference_image_urls: [IMAGE],
    ratio: '16:9',
    duration: 7,
    resolution: '768P',
  },
  'wan-video/wan-2.2-t2v-fast': {
    aspect_ratio: '16:9',
    num_frames: 100,
    frames_per_second: 16,
    resolution: '480p',
    interpolate_output: false,
    seed: 7,
  },
  'wan-video/wan-2.7-i2v': { first_frame: IMAGE, duration: 7, resolution: '720p', seed: 7 },
  'alibaba/wan-3': { image: IMAGE, duration: 7, resolution: '720p', seed: 7 },
  'lightricks/ltx-2.5-fast': {
    image: IMAGE,
    duration: 8,
    resolution: '720p',
    fps: 25,
    generate_audio: false,
  },
  'prunaai/p-video': {
    image: IMAGE,
    duration: 7,
    resolution: '720p',
    fps: 24,
    draft: false,
    save_audio: false,
    seed: 7,
  },
  'pixverse/pixverse-v6': {
    image: IMAGE,
    duration: 5,
    quality: '540p',
    generate_audio_switch: false,
    generate_multi_clip_switch: false,
    seed: 7,
  },
  'alibaba/happyhorse-1.1': { images: [IMAGE], duration: 7, resolution: '720p', seed: 7 },
  'xai/grok-imagine-video': {
    image: IMAGE,
    aspect_ratio: 'auto',
    duration: 7,
    resolution: '720p',
  },
  'xai/grok-imagine-video-1.5': {
    image: IMAGE,
    aspect_ratio: 'auto',
    duration: 7,
    resolution: '720p',
  },
  'runwayml/gen-4.5': { image: IMAGE, duration: 5, seed: 7 },
  'vidu/q3-pro': { start_image: IMAGE, duration: 7, resolution: '720p', audio: false, seed: 7 },
  'luma/ray-3.2': {
    start_image: IMAGE,
    duration: 5,
    resolution: '720p',
    loop: false,
    hdr: false,
    exr_export: false,
  },
};

describe('the input of the provider', () => {
  it('has a vector for every row', () => {
    expect(Object.keys(SENT).sort()).toEqual([...ALIVE.keys()].sort());
  });

  it.each(Object.entries(SENT))('%s gets exactly its own inputs', (id, expected) => {
    const text = ALIVE.get(id)?.prompt === null ? {} : { prompt: 'clip 0' };
    expect(inputOf(withImage(id))).toEqual({ ...expected, ...text });
  });

  it.each([...ALIVE.values()])('$id accepts what it is sent, for every target', (row) => {
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

  it('keeps texts out of the stored input and sends no empty negative prompt', () => {
    const { clips, model } = resolved(plan({}, clip(0, { negative_prompt: 'rain' }), clip(1)));
    expect(clips[0]?.input).toEqual({ aspect_ratio: '16:9', duration: 5 });
    expect(clips.map((item) => providerInput(model, item)['negative_prompt'])).toEqual([
      'rain',
      undefined,
    ]);
  });

  it('translates settings into inputs of the model', () => {
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

  it('warns that CogVideoX makes another size than 768x768', () => {
    const { warnings } = resolved(
      withImage('thudm/cogvideox-i2v', 6, { settings: { resolution: '768x768' } }),
    );
    expect(warnings).toContain(
      'settings.resolution: asked "768x768", but it makes 720x480, its only size (thudm/cogvideox-i2v)',
    );
  });

  it.each([
    ['xai/grok-imagine-video', {}, { aspect_ratio: 'auto' }],
    ['minimax/h3', {}, { ratio: '16:9', resolution: '768P' }],
    ['minimax/h3', { settings: { resolution: '2k' } }, { resolution: '2K' }],
    ['minimax/h3', { settings: { resolution: '2K' } }, { resolution: '2K' }],
    ['pixverse/pixverse-v6', { settings: { resolution: '1080p' } }, { quality: '1080p' }],
    ['pixverse/pixverse-v6', { settings: { audio: true } }, { generate_audio_switch: true }],
    ['kwaivgi/kling-o1', { settings: { resolution: '720p' } }, { mode: 'std' }],
    ['kwaivgi/kling-v3-video', { settings: { resolution: '4k' } }, { mode: '4k' }],
    ['prunaai/p-video', { settings: { draft: true } }, { draft: true }],
    ['bytedance/seedance-2.5', { aspect_ratio: '9:16' }, { aspect_ratio: '9:16' }],
  ])('has sizes, ratios, sound and drafts in the words of %s', (model, more, expected) => {
    expect(inputOf(plan({ model, ...more }))).toMatchObject(expected);
  });

  it.each([
    ['bytedance/seedance-2.5', 'image', 'aspect_ratio'],
    ['minimax/h3', 'first_frame_image', 'ratio'],
  ])('asks %s for the ratio that goes with a start image', (model, start, ratio) => {
    const scene = { reference_mode: 'scene', aspect_ratio: '9:16' };
    const value = withImage(model, 5, scene);
    expect(inputOf(value)).toMatchObject({ [start]: IMAGE, [ratio]: 'adaptive' });
    expect(resolved(value).warnings.join()).toContain('the ratio of its start image, not 9:16');
  });

  it('gives one list a start image or references, by the number of its files', () => {
    const happyhorse = { model: 'alibaba/happyhorse-1.1' };
    const several = { scene_reference_url: IMAGE, character_reference_urls: [`${IMAGE}?b`] };
    const list = (more: object, given: object) =>
      inputOf(plan({ ...happyhorse, ...more }, clip(0, given)))['images'];
    expect(list({}, { scene_reference_url: IMAGE })).toEqual([IMAGE]);
    expect(list({}, several)).toEqual([`${IMAGE}?b`, IMAGE]);
    expect(list({ reference_mode: 'scene' }, several)).toEqual([IMAGE]);
    const composed = resolved(
      plan({ ...happyhorse, reference_mode: 'composite' }, clip(0, several)),
    );
    const [first] = composed.clips;
    if (first === undefined) throw new Error('expected a clip');
    expect(first.composite).toMatchObject({ input: 'images', as_list: true });
    expect(withUpload(first, 'https://a/file').input).toMatchObject({ images: ['https://a/file'] });
  });

  const VIDEO = 'https://example.com/a.mp4';
  const SOUND = 'https://example.com/a.mp3';

  it('uses an image as the start image of a clip with an end image, even where it would be a reference', () => {
    const framed = { scene_reference_url: IMAGE, end_image_url: `${IMAGE}?end` };
    for (const [model, start, end] of [
      ['google/veo-3.1', 'image', 'last_frame'],
      ['bytedance/seedance-2.0', 'image', 'last_frame_image'],
      ['kwaivgi/kling-v3-omni-video', 'start_image', 'end_image'],
      ['wan-video/wan-2.7-i2v', 'first_frame', 'last_frame'],
    ] as const) {
      const input = inputOf(plan({ model }, clip(0, framed)));
      expect(input).toMatchObject({ [start]: IMAGE, [end]: `${IMAGE}?end` });
      expect(input).not.toHaveProperty('reference_images');
    }
  });

  it('gives videos and sounds to the inputs that take them, one or a list, with their price', () => {
    const files = { reference_video_urls: [VIDEO], reference_audio_urls: [SOUND] };
    const seedance = resolved(plan({ model: 'bytedance/seedance-2.0' }, clip(0, files)));
    expect(seedance.clips[0]).toMatchObject({
      input: { reference_videos: [VIDEO], reference_audios: [SOUND] },
      media: { reference_videos: 'video', reference_audios: 'audio' },
      price: { usd: 0.22 },
      estimated_cost_usd: 1.54,
    });
    const o1 = { reference_video_urls: [VIDEO, `${VIDEO}?b`] };
    const one = resolved(plan({ model: 'kwaivgi/kling-o1' }, clip(0, { ...o1, duration: 4 })));
    expect(one.clips[0]).toMatchObject({
      input: { reference_video: VIDEO, duration: 4 },
      price: { usd: 0.168 },
    });
    expect(one.warnings).toContain(
      'clip 0: left out, because kwaivgi/kling-o1 takes no more reference videos: 1 of them',
    );
  });

  it('names the files left out because the model takes none', () => {
    const given = {
      end_image_url: IMAGE,
      reference_video_urls: [VIDEO],
      reference_audio_urls: [SOUND],
    };
    const { clips, warnings } = resolved(plan({ model: 'runwayml/gen-4.5' }, clip(0, given)));
    expect(clips[0]?.input).toEqual({ duration: 5 });
    expect(clips[0]).not.toHaveProperty('media');
    expect(warnings).toEqual([
      'clip 0: left out, because runwayml/gen-4.5 takes no end image',
      'clip 0: left out, because runwayml/gen-4.5 takes no reference videos: 1 of them',
      'clip 0: left out, because runwayml/gen-4.5 takes no reference sounds: 1 of them',
    ]);
  });

  it('refuses a sound without an image, an end image without a start image, and more files than the model allows', () => {
    const problems = (model: string, given: object) => {
      return problemsOf(plan({ model }, clip(0, given))).map(({ message }) => message);
    };
    expect(problems('bytedance/seedance-2.0', { reference_audio_urls: [SOUND] })).toEqual([
      expect.stringContaining('reference audios need a reference image or a reference video'),
    ]);
    expect(problems('google/veo-3.1', { end_image_url: IMAGE })).toEqual([]);
    expect(problems('vidu/q3-pro', { end_image_url: IMAGE })).toEqual([
      expect.stringContaining('an end image needs a start image'),
    ]);
    const images = Array.from({ length: 5 }, (_, index) => `${IMAGE}?${String(index)}`);
    const five = { reference_video_urls: [VIDEO], character_reference_urls: images };
    expect(problems('kwaivgi/kling-o1', five)).toEqual([
      expect.stringContaining('there may be 4 reference images'),
    ]);
  });

  it('pins a community model where a version is known', () => {
    expect(resolved(withImage('lightricks/ltx-video')).model.version).toMatch(/^8c47da/);
    expect(resolved(withImage('thudm/cogvideox-i2v')).model.version).toBeNull();
    expect(resolved(plan()).model.version).toBeNull();
  });
});
