/** Drafts and their finals: what is sent, what it costs, and which seeds both have. */
import { describe, expect, it } from 'vitest';
import { checkPlan, type PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { estimateOf } from '../../../src/domain/pricing/estimate.js';
import { initialJob } from '../../../src/domain/job/initial-job.js';
import type { Job } from '../../../src/domain/job/job.schema.js';
import { finalsOf, seeded, seedOf } from '../../../src/domain/plan/quality.js';
import { quotesOf } from '../../../src/domain/plan/resolve.js';
import { clip, plan } from './bad-plans.js';
import { rowOf } from '../models/rows.js';
import { accepted, ALIVE_CONTEXT, problemsOf } from '../../support/checked-plans.js';

const MODEL = 'bytedance/seedance-1-pro';
const context: PlanContext = { ...ALIVE_CONTEXT, duration_buffer: 1 };
const resolved = (value: unknown) => accepted(value, context).resolved;
const problems = (value: unknown) => problemsOf(value, context);
const draft = (more: object = {}, ...clips: unknown[]) =>
  plan({ model: MODEL, quality: 'draft', ...more }, ...clips);

describe('a draft', () => {
  it('is sent the input of its final, except for the draft inputs of the row', () => {
    const [first] = resolved(draft({}, clip(0, { seed: 7 }))).clips;
    const [final] = resolved(draft({ quality: 'final' }, clip(0, { seed: 7 }))).clips;
    expect(first?.input).toEqual({ ...final?.input, ...rowOf(MODEL).draft });
    expect(first?.requested_duration).toBe(final?.requested_duration);
  });

  it('has the price of a draft in the row, and the estimate has both prices', () => {
    const estimate = estimateOf(resolved(draft({}, clip(0))));
    expect(estimate).toMatchObject({
      estimated_cost_usd: 0.15,
      draft_cost_usd: 0.15,
      final_cost_usd: 0.75,
    });
    const final = estimateOf(resolved(draft({ quality: 'final' }, clip(0))));
    expect(final).toMatchObject({ estimated_cost_usd: 0.75, draft_cost_usd: 0.15 });
    const sized = draft({ settings: { resolution: '720p' } }, clip(0));
    expect(estimateOf(resolved(sized))).toMatchObject({
      draft_cost_usd: 0.15,
      final_cost_usd: 0.3,
    });
    expect(estimateOf(resolved(plan({}, clip(0))))).not.toHaveProperty('draft_cost_usd');
  });

  it('warns of settings that only its final has', () => {
    expect(resolved(draft({ settings: { resolution: '720p' } })).warnings).toContain(
      'a draft is made with resolution 480p; its final, with resolution 720p',
    );
    expect(resolved(draft()).warnings.join()).not.toContain('its final');
  });

  it('is refused in one sentence on a model without drafts', () => {
    const found = problems(plan({ quality: 'draft' }));
    expect(found).toHaveLength(1);
    expect(found[0]?.path).toBe('quality');
    expect(found[0]?.message).toMatch(
      /^expected "final" or nothing, because kwaivgi\/kling-v2.5-turbo-pro makes no drafts \(of .*bytedance\/seedance-1-pro.* there are drafts\), got "draft"$/,
    );
    expect(problems(plan({ quality: 'final' }))).toEqual([]);
    expect(problems(plan({ quality: 'rough' }))[0]?.path).toBe('quality');
  });

  it('is refused where its final would be the same', () => {
    expect(problems(draft({ settings: { resolution: '480p' } }))).toEqual([
      {
        path: 'quality',
        message:
          'expected settings that differ from those of a draft (resolution 480p), for its final would be the same, got "draft"',
      },
    ]);
  });

  it('is refused where its final could not be made', () => {
    const rule = {
      when: [{ input: 'resolution', one_of: ['1080p'] }],
      then: [{ input: 'seed', is: 'set' as const }],
      says: '1080p needs a seed',
    };
    const row = { ...rowOf(MODEL), rules: [rule] };
    const catalogue = new Map([[MODEL, row]]);
    const checked = checkPlan(draft({}, clip(0)), { ...context, catalogue });
    expect(checked).toMatchObject({ ok: false, problems: [{ path: 'clip_prompts.0' }] });
    expect(JSON.stringify(checked)).toContain('1080p needs a seed');
  });

  it('is compared with drafts of other models, and not with models without drafts', () => {
    const { plan: asked } = accepted(draft({}, clip(0)), context);
    const price = quotesOf(asked, rowOf('prunaai/p-video'), context)?.[0];
    expect(price?.estimated_cost_usd).toBe(0.025);
    expect(quotesOf(asked, rowOf('google/veo-3.1'), context)).toBeNull();
  });
});

describe('the seed of a draft', () => {
  it('is derived from job and clip where the plan has none', () => {
    const { clips } = seeded(resolved(draft({}, clip(0), clip(1), clip(2, { seed: 7 }))), 'a');
    const seeds = clips.map(({ seed }) => seed);
    expect(seeds).toEqual([seedOf('a', 0), seedOf('a', 1), 7]);
    expect(clips.map(({ input }) => input['seed'])).toEqual(seeds);
    expect(new Set([...seeds, seedOf('b', 0)]).size).toBe(4);
  });

  it('is within the range of the model', () => {
    for (let index = 0; index < 500; index += 1) {
      expect(seedOf('job', index, 9)).toBeGreaterThanOrEqual(1);
      expect(seedOf('job', index, 9)).toBeLessThanOrEqual(9);
      expect(seedOf('job', index)).toBeLessThan(2 ** 31);
    }
  });

  it('is added to drafts only', () => {
    const [first] = seeded(resolved(draft({ quality: 'final' }, clip(0))), 'a').clips;
    expect(first?.input).not.toHaveProperty('seed');
  });

  it('is also in the text-only input of a clip', () => {
    const images = clip(0, { scene_reference_url: 'https://example.com/a.jpg' });
    const [first] = seeded(resolved(draft({ on_bad_reference: 'text_only' }, images)), 'a').clips;
    expect(first?.text_only).toMatchObject({ seed: seedOf('a', 0) });
  });
});

describe('the finals of a draft', () => {
  const asked = draft(
    { job_id: 'rough', total_clips: 3, min_successful_clips: 3, labels: ['boat'] },
    clip(4),
    clip(0, { seed: 7 }),
    clip(2),
  );
  const { plan: parsed, resolved: planned } = accepted(asked, context);
  const fresh = initialJob(seeded(planned, 'rough'), {
    job_id: 'rough',
    run_id: '',
    created_at: '',
    simulated: true,
  });
  const job: Job = {
    ...fresh,
    clips: fresh.clips.map((one) => ({
      ...one,
      status: one.clip_index === 2 ? 'failed' : 'succeeded',
    })),
  };

  it('are a plan of the clips that succeeded, with the seeds that were sent', () => {
    const finals = finalsOf(parsed, job, {});
    if (!finals.ok) throw new Error(finals.message);
    expect(finals.plan).toEqual({
      model: MODEL,
      quality: 'final',
      draft_of: 'rough',
      min_successful_clips: 2,
      labels: ['boat'],
      clip_prompts: [clip(4, { seed: seedOf('rough', 4) }), clip(0, { seed: 7 })],
    });
    const { clips } = resolved(finals.plan);
    expect(clips.map(({ input }) => input['resolution'])).toEqual(['1080p', '1080p']);
  });

  it('are of the requested clips, with the requested job_id and cap', () => {
    const finals = finalsOf(parsed, job, { clips: [0], job_id: 'fine', max_cost_usd: 3 });
    expect(finals).toMatchObject({
      plan: {
        job_id: 'fine',
        max_cost_usd: 3,
        min_successful_clips: 1,
        clip_prompts: [{ seed: 7 }],
      },
    });
  });

  it('are refused for a clip that has not succeeded, for a job that is no draft, and for no clip', () => {
    expect(finalsOf(parsed, job, { clips: [0, 2] })).toEqual({
      ok: false,
      path: 'clips.1',
      message: 'expected a clip of "rough" that succeeded, got 2',
    });
    const { quality: _, ...other } = job;
    expect(finalsOf(parsed, other, {})).toMatchObject({ ok: false, path: null });
    expect(finalsOf(parsed, { ...job, clips: [] }, {})).toMatchObject({ ok: false, path: null });
  });
});
