/** Which images of a clip have to be looked at, and what it becomes afterwards. */
import { describe, expect, it } from 'vitest';
import {
  asTextOnly,
  referencesIn,
  withUpload,
} from '../../../src/domain/references/clip-references.js';
import { CATALOGUE, type Catalogue } from '../../../src/domain/models/index.js';
import type { ClipPrompt, Plan } from '../../../src/domain/plan/plan.schema.js';
import type { ResolvedClip } from '../../../src/domain/plan/resolved.js';
import { rowOf } from '../models/rows.js';
import { accepted, CONTEXT } from '../../support/checked-plans.js';

const [scene, ann, bob, hat] = ['scene', 'ann', 'bob', 'hat'].map(
  (name) => `https://example.com/${name}.jpg`,
) as [string, string, string, string];

function clipOf(
  references: Partial<ClipPrompt>,
  more: Partial<Plan> = {},
  catalogue: Catalogue = CATALOGUE,
): ResolvedClip {
  const prompt = { clip_index: 3, prompt: 'see https://example.com/page', duration: 5 };
  const plan = { ...more, clip_prompts: [{ ...prompt, ...references }] };
  const [clip] = accepted(plan, { ...CONTEXT, catalogue }).resolved.clips;
  if (clip === undefined) throw new Error('expected a clip');
  return clip;
}

describe('referencesIn', () => {
  it('finds each image that is sent once, and takes no URL from the texts', () => {
    expect(referencesIn(clipOf({}))).toBeNull();
    expect(referencesIn(clipOf({ scene_reference_url: scene }))).toEqual({
      clip_index: 3,
      urls: [scene],
    });
    const many = { character_reference_urls: [ann, bob, ann], object_reference_urls: [hat] };
    const veo = clipOf(many, { model: 'google/veo-3.1', aspect_ratio: '16:9' });
    expect(referencesIn(veo)?.urls).toEqual([ann, bob]);
  });

  it('separates videos and sounds from images, and drops all of them for a text-only clip', () => {
    const [video, sound] = ['https://example.com/v.mp4', 'https://example.com/s.mp3'];
    const clip = clipOf(
      {
        character_reference_urls: [ann],
        reference_video_urls: [video],
        reference_audio_urls: [sound],
      },
      { model: 'bytedance/seedance-2.0', on_bad_reference: 'text_only' },
    );
    expect(referencesIn(clip)).toEqual({
      clip_index: 3,
      urls: [ann],
      media: [
        { kind: 'video', url: video },
        { kind: 'audio', url: sound },
      ],
    });
    const without = asTextOnly(clip);
    expect(without && referencesIn(without)).toBeNull();
    expect(without).not.toHaveProperty('media');
    expect(without?.price?.usd).toBe(0.18);
  });

  it('lists the parts of a composite only within the composite', () => {
    const clip = clipOf({ scene_reference_url: scene, character_reference_urls: [ann] });
    expect(referencesIn(clip)).toMatchObject({ urls: [], composite: { scene_url: scene } });
  });
});

describe('a clip after its references were prepared', () => {
  it('sends its composite once the composite is uploaded', () => {
    const clip = clipOf({ scene_reference_url: scene, character_reference_urls: [ann] });
    expect(withUpload(clip, 'https://a/file').input).toMatchObject({
      start_image: 'https://a/file',
    });
  });

  it('drops its images only where the plan allows that', () => {
    const wish = { scene_reference_url: scene, character_reference_urls: [ann] };
    expect(asTextOnly(clipOf(wish))).toBeNull();
    const clip = asTextOnly(clipOf(wish, { on_bad_reference: 'text_only' }));
    expect(clip && referencesIn(clip)).toBeNull();
    expect(clip).toMatchObject({ requested_duration: 5, prompt: expect.any(String) as string });
  });

  it('has the price of its text-only input, never more than was reserved', () => {
    const veo = rowOf('google/veo-3.1');
    const priced = (unset: number): Catalogue => {
      const [one] = veo.prices;
      if (one === undefined) throw new Error('expected a price');
      const prices = [
        { ...one, usd: unset, when: { reference_images: { is: 'unset' } } } as const,
        { ...one, usd: 0.3, when: { reference_images: { is: 'set' } } } as const,
      ];
      return new Map([[veo.id, { ...veo, prices }]]);
    };
    const plan = { model: veo.id, on_bad_reference: 'text_only' } as const;
    const wish = { character_reference_urls: [ann] };
    const clip = clipOf(wish, plan, priced(0.1));
    expect(clip).toMatchObject({ price: { usd: 0.3 }, estimated_cost_usd: 2.4 });
    expect(asTextOnly(clip)?.price).toMatchObject({ usd: 0.1 });
    expect(asTextOnly(clipOf(wish, plan, priced(0.5)))).toBeNull();
    expect(asTextOnly(clipOf(wish, plan))?.price).toEqual(clipOf(wish, plan).price);
  });
});
