import { describe, expect, it } from 'vitest';
import { checkPlan } from '../../src/domain/plan/check-plan.schema.js';
import { settle } from '../../src/domain/pricing/cost.js';
import { ALIVE } from '../domain/models/rows.js';
import type { ModelRow } from '../../src/domain/models/row.js';
import { providerInput, type ResolvedPlan } from '../../src/domain/plan/resolved.js';
import { versionOf } from '../../src/simulator/published-models.js';
import { startPeer, stoppedClock } from './support.js';

const IMAGE = 'https://example.com/a.png';
const VIDEO = 'https://example.com/a.mp4';
const SOUND = 'https://example.com/a.mp3';
const rows = [...ALIVE.values()];

/** Files of each kind that plans give, in each of the model's sizes, with and without sound. */
function plansOf(row: ModelRow): object[] {
  const size = row.settings['resolution']?.input ?? null;
  const field = size === null ? undefined : row.inputs[size];
  const sizes = field !== undefined && 'enum' in field ? (field.enum ?? []) : [];
  const settings: Record<string, unknown>[] = [
    ...(size === null ? [] : sizes.map((value) => ({ [size]: value }))),
    ...(row.audio === null ? [] : [{ [row.audio]: true }]),
    ...(row.draft === undefined ? [] : [row.draft]),
    {},
  ];
  const images = [
    {},
    { scene_reference_url: IMAGE },
    { scene_reference_url: IMAGE, end_image_url: `${IMAGE}?end` },
    { reference_video_urls: [VIDEO] },
    { scene_reference_url: IMAGE, reference_video_urls: [VIDEO], reference_audio_urls: [SOUND] },
    {
      character_reference_urls: Array.from(
        { length: 7 },
        (_, index) => `${IMAGE}?${String(index)}`,
      ),
    },
  ];
  return settings.flatMap((chosen) =>
    images.map((given) => ({
      model: row.id,
      settings: chosen,
      clip_prompts: [{ clip_index: 0, prompt: 'a lighthouse', duration: 5, ...given }],
    })),
  );
}

/** Those that the model takes, as they would be started. */
function resolvedOf(row: ModelRow): ResolvedPlan[] {
  const context = { catalogue: ALIVE, default_model: row.id, duration_buffer: 1.25 };
  return plansOf(row).flatMap((plan) => {
    const checked = checkPlan(plan, { ...context, composites: false });
    return checked.ok ? [checked.resolved] : [];
  });
}

describe('every model of the catalogue', () => {
  it.each(rows.map((row) => [row.id, row] as const))(
    '%s renders everything a plan may ask of it, and is billed what the estimate says',
    async (id, row) => {
      const clock = stoppedClock();
      const peer = await startPeer({ now: clock.now, speed: 30 });
      const plans = resolvedOf(row);
      expect(plans.length).toBeGreaterThan(0);
      let estimated = 0;
      for (const { model, clips } of plans) {
        const [clip] = clips;
        if (clip === undefined) throw new Error('expected a clip');
        const input = providerInput(model, clip);
        const target = row.official ? { model: id } : { version: versionOf(row) };
        const created = await peer.client.predictions.create({ ...target, input });
        expect(created).toMatchObject({ model: id, status: 'starting' });
        clock.advance(100);
        const { status, output, metrics } = await peer.get(created.id);
        expect({ status, many: Array.isArray(output) }, JSON.stringify(input)).toEqual({
          status: 'succeeded',
          many: row.output === 'uris',
        });
        const terms = { ...clip, bills_failed: row.bills_failed };
        const outcome = {
          status: 'succeeded',
          predict_time: metrics?.predict_time ?? null,
        } as const;
        expect(settle(terms, outcome).cost_usd).toBe(clip.estimated_cost_usd);
        estimated += clip.estimated_cost_usd ?? NaN;
      }
      const { bills } = await peer.stats();
      expect(bills.count).toBe(plans.length);
      expect(bills.usd).toBeCloseTo(estimated, 6);
    },
  );

  it('has a version of its own', () => {
    const versions = rows.map(versionOf);
    expect(new Set(versions).size).toBe(versions.length);
    for (const version of versions) expect(version).toMatch(/^[0-9a-f]{64}$/);
  });
});
