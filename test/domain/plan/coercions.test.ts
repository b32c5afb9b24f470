/** What is the same plan however it was written: with the noise of floats, with nulls, with half characters, with long URLs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson } from '../../../src/domain/values/canonical-json.js';
import { legalDurations } from '../../../src/domain/plan/duration-planner.js';
import {
  CLIP_FIELDS,
  PLAN_FIELDS,
  planFieldsSchema,
} from '../../../src/domain/plan/plan.schema.js';
import { providerInput } from '../../../src/domain/plan/resolved.js';
import { anyText } from '../values/any-text.js';
import { clip, IMAGE, plan } from './bad-plans.js';
import { ALIVE } from '../models/rows.js';
import { accepted, problemsOf } from '../../support/checked-plans.js';

/** The float that is `steps` floats away. */
function near(value: number, steps: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(steps));
  return view.getFloat64(0);
}
const few = fc.integer({ min: -8, max: 8 });

/** Every length that every model makes, as told and as frames make it. */
const LENGTHS = [...ALIVE.values()].flatMap((row) => {
  const { duration } = row;
  const told = legalDurations(duration).map(({ seconds }) => seconds);
  const exact =
    duration.unit === 'frames' && !('values' in duration.legal)
      ? legalDurations({ ...duration, labels: {} }).map(({ value }) => Number(value) / duration.fps)
      : [];
  return [...told, ...exact].map((seconds) => ({ row, seconds }));
});

describe('a number of a plan', () => {
  const asked = (model: string, duration: number, image: boolean) => ({
    model,
    duration_buffer: 1,
    clip_prompts: [clip(0, { duration, ...(image ? { scene_reference_url: IMAGE } : {}) })],
  });
  const planned = (model: string, duration: number, image: boolean) =>
    accepted(asked(model, duration, image)).resolved;

  it('requests the same length from every model, a few floats away from a length that it makes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LENGTHS), few, ({ row, seconds }, steps) => {
        const image = problemsOf(asked(row.id, seconds, false)).length > 0;
        const exact = planned(row.id, seconds, image);
        const noisy = planned(row.id, near(seconds, steps), image);
        expect(noisy).toEqual(exact);
        const [first] = exact.clips;
        const covers = legalDurations(row.duration).find(
          (item) => Math.abs(item.seconds - seconds) < 0.001,
        );
        if (row.rules.length === 0) expect(first?.requested_duration).toBe(covers?.seconds);
      }),
      { numRuns: 2000 },
    );
  });

  it('requests the longer length from a millionth of a second above', () => {
    const lengthOf = (duration: number) =>
      planned('kwaivgi/kling-v2.5-turbo-pro', duration, false).clips[0]?.requested_duration;
    expect([8.3 - 3.3, 5.0000004, 5.000001, 4.9999999].map(lengthOf)).toEqual([5, 5, 10, 5]);
  });

  it('is a decimal also after planners subtract and add', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 }), (a, b) => {
        const { plan: sum } = accepted(plan({}, clip(0, { duration: a / 100 + b / 100 })));
        expect(sum.clip_prompts[0]?.duration).toBe((a + b) / 100);
      }),
    );
  });

  it.each([
    ['the greatest duration', plan({}, clip(0, { duration: 60.00000000000001 }))],
    ['the greatest buffer', plan({ duration_buffer: 2.0000000000000004 })],
    ['the least buffer', plan({ duration_buffer: 0.9999999999999999 })],
    ['the least time-out', plan({ clip_timeout: 9.999999999999998 })],
    ['the greatest time-out', plan({ clip_timeout: 86400.00000000001 })],
    ['the greatest cap', plan({ max_cost_usd: 1000000.0000000001 })],
    ['a cap of the sum of the prices', plan({ max_cost_usd: 0.35 + 0.35 + 0.35 - 1e-16 })],
    ['a whole number', plan({ batch_size: 5.000000000000001, total_clips: 3.0000000000000004 })],
    ['an index', plan({}, clip(-1e-17), clip(1.0000000000000002))],
    ['a seed', plan({}, clip(0, { seed: 7.000000000000001 }))],
  ])('at its limit is not refused for the noise of a float: %s', (_name, value) => {
    expect(problemsOf(value)).toEqual([]);
  });

  it('of the settings is sent as a decimal, and checked as one against the limits of the model', () => {
    const model = 'stability-ai/stable-video-diffusion';
    const settings = { fps: 6.000000000000001, motion: 127.00000000000001, cond_aug: 0.1 + 0.2 };
    const { resolved } = accepted({
      model,
      settings,
      clip_prompts: [clip(0, { scene_reference_url: IMAGE })],
    });
    expect(resolved.clips[0]?.input).toMatchObject({
      frames_per_second: 6,
      motion_bucket_id: 127,
      cond_aug: 0.3,
    });
    const ltx = accepted({
      model: 'lightricks/ltx-video',
      settings: { cfg: 0.9999999999999999, image_noise_scale: 1.0000000000000002 },
      clip_prompts: [clip(0)],
    });
    expect(ltx.resolved.clips[0]?.input).toMatchObject({ cfg: 1, image_noise_scale: 1 });
  });

  it.each([
    ['duration', { duration: 1e-7 }, 'above 0, got 1e-7, which is 0 to six decimals'],
    ['duration', { duration: -1e-9 }, 'above 0, got -1e-9, which is 0 to six decimals'],
    ['duration', { duration: 60.0000006 }, 'at most 60, got 60.0000006, which is 60.000001'],
    ['seed', { seed: 1.4 }, 'a whole number, got 1.4'],
    ['clip_index', { clip_index: 0.00001 }, 'a whole number, got 0.00001'],
  ])(
    'that is out of range once it is rounded is refused with what came: %s %j',
    (path, more, message) => {
      const problems = problemsOf(plan({}, clip(0, more)));
      expect(problems.map((item) => item.path)).toEqual([`clip_prompts.0.${path}`]);
      expect(problems[0]?.message).toContain(message);
    },
  );
});

describe('null', () => {
  const optional = (fields: Record<string, z.ZodType>): string[] =>
    Object.keys(fields).filter((name) => fields[name]?.safeParse(undefined).success);
  const nulls = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));

  it('in every optional field is the same as no field, and gives the same plan', () => {
    const written = {
      ...plan({}, clip(0, nulls(optional(CLIP_FIELDS))), clip(1, nulls(optional(CLIP_FIELDS)))),
      ...nulls(optional(PLAN_FIELDS)),
    };
    const bare = plan({}, clip(0), clip(1));
    const [one, other] = [accepted(written), accepted(bare)];
    expect(canonicalJson(one.plan)).toBe(canonicalJson(other.plan));
    expect(one.resolved).toEqual(other.resolved);
    expect(optional(PLAN_FIELDS)).toHaveLength(Object.keys(PLAN_FIELDS).length - 1);
    expect(optional(CLIP_FIELDS)).toHaveLength(Object.keys(CLIP_FIELDS).length - 3);
  });

  it('removes a setting, and is kept inside metadata', () => {
    const metadata = { scene: null, tags: [null, { a: null }] };
    const { resolved } = accepted(
      plan({ settings: { steps: null, resolution: null } }, clip(0, { metadata })),
    );
    expect(resolved.clips[0]?.metadata).toEqual(metadata);
    expect(resolved).toMatchObject({ warnings: [] });
  });

  it.each([
    ['clip_prompts', { clip_prompts: null }],
    ['clip_prompts.0', plan({}, null)],
    ['clip_prompts.0.clip_index', plan({}, clip(0, { clip_index: null }))],
    ['clip_prompts.0.prompt', plan({}, clip(0, { prompt: null }))],
    ['clip_prompts.0.duration', plan({}, clip(0, { duration: null }))],
    [
      'clip_prompts.0.object_reference_urls.1',
      plan({}, clip(0, { object_reference_urls: [IMAGE, null] })),
    ],
    ['unknown', plan({ unknown: null })],
  ])('is refused where something is needed: %s', (path, value) => {
    const problems = problemsOf(value);
    expect(problems.map((item) => item.path)).toEqual([path]);
    if (path !== 'unknown') expect(problems[0]?.message).toContain('got null');
  });

  it('hides no other mistake of a plan', () => {
    const problems = problemsOf({
      ...plan(
        { settings: null, total_clips: null },
        clip(0, { duration: -1, seed: null, metadata: null }),
        clip(0),
      ),
      aspect_ratio: '5:4',
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'aspect_ratio',
      'clip_prompts.0.duration',
      'clip_prompts.1.clip_index',
    ]);
  });
});

describe('a text of a plan', () => {
  it('is planned as it is after JSON and UTF-8, in any field', () => {
    const survives = (value: unknown): void => {
      const text = JSON.stringify(value);
      expect(JSON.parse(new TextDecoder().decode(new TextEncoder().encode(text)))).toEqual(value);
      expect(text).not.toMatch(/\\ud[89a-f]/);
    };
    fc.assert(
      fc.property(anyText, (text) => {
        const { plan: asked, resolved } = accepted(
          plan(
            { generation_time: text },
            clip(0, {
              prompt: `a${text}`.repeat(50),
              negative_prompt: text,
              metadata: { [text]: [{ [text]: text }] },
              scene_reference_url: `https://example.com/${encodeURIComponent(text.toWellFormed())}\ud800`,
            }),
          ),
        );
        survives(asked);
        survives(resolved);
        for (const item of resolved.clips) survives(providerInput(resolved.model, item));
      }),
      { examples: [['\ud800'], ['\u0000\ufffe\uffff'], ['é\ud83d\ude00'.repeat(40)]] },
    );
  });

  it('of a setting, and its name, is well-formed in problems too', () => {
    const problems = problemsOf(
      plan({ settings: { 'half\ud83d': 1, mode: '\udc00' }, 'x\ud83d': 1 }),
    );
    expect(problems).toHaveLength(3);
    for (const problem of problems) {
      expect(problem.path.isWellFormed()).toBe(true);
      expect(problem.message.isWellFormed()).toBe(true);
    }
  });

  it('that is nested too deeply for any stack is refused unread', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 3000; level++) deep = [deep];
    expect(problemsOf(plan({}, clip(0, { metadata: { deep } })))[0]?.message).toContain(
      'at most 64 deep',
    );
  });
});

describe('a URL of a plan', () => {
  const url = (length: number) => `${IMAGE}?X-Amz-Signature=`.padEnd(length, 'a');

  it('may have 8,192 characters, in every field that takes one', () => {
    const long = url(8192);
    const urls = {
      scene_reference_url: long,
      character_reference_urls: [long],
      object_reference_urls: [long],
    };
    for (const model of ALIVE.keys()) {
      expect(problemsOf({ model, clip_prompts: [clip(0, urls)] })).toEqual([]);
    }
    const [problem] = problemsOf(plan({}, clip(0, { scene_reference_url: url(8193) })));
    expect(problem?.message).toBe('expected at most 8192 characters, got 8193 characters');
  });

  it('of each of a thousand clips is refused only for the size of the whole plan', () => {
    const clips = Array.from({ length: 1000 }, (_, index) =>
      clip(index, { scene_reference_url: url(2231) }),
    );
    const problems = problemsOf({ clip_prompts: clips });
    expect(problems.map((item) => item.path)).toEqual(['']);
    expect(problems[0]?.message).toMatch(/^expected at most 1048576 bytes of JSON, got \d+ bytes$/);
    expect(problemsOf({ clip_prompts: clips.slice(0, 440) })).toEqual([]);
  });
});

describe('the JSON Schema of a plan', () => {
  const document = z.fromJSONSchema(z.toJSONSchema(planFieldsSchema, { io: 'input' }));
  const matches = (value: unknown) => document.safeParse(value).success;

  it('accepts a plan with nulls, long URLs and numbers at their limits, and nothing that is refused', () => {
    expect(matches(plan({ model: null, settings: { steps: null } }, clip(0, { seed: null })))).toBe(
      true,
    );
    expect(matches(plan({}, clip(0, { prompt: null })))).toBe(false);
    expect(matches(plan({}, clip(0, { character_reference_urls: [null] })))).toBe(false);
    expect(matches(plan({ unknown: null }))).toBe(false);
    expect(matches(plan({}, clip(0, { scene_reference_url: `${IMAGE}?`.padEnd(8192, 'a') })))).toBe(
      true,
    );
  });

  it('accepts no number that rounds out of its range', () => {
    const durations = fc.oneof(
      fc.double({ noNaN: true, min: -1, max: 61 }),
      fc.integer({ min: -3, max: 60_000_003 }).map((n) => n / 1e6),
      fc.double({ noNaN: true, min: 0, max: 2e-6 }),
    );
    fc.assert(
      fc.property(durations, (duration) => {
        const value = plan({}, clip(0, { duration }));
        if (matches(value)) expect(problemsOf(value)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
