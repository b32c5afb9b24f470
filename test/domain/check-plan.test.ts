/** Every mistake of a plan is named at its place, all of them in one answer, and right plans pass. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_PLAN_BYTES } from '../../src/domain/plan/check-plan.schema.js';
import { clip, plan, SHAPE } from './plan/bad-plans.js';
import { accepted, problemsOf } from '../support/checked-plans.js';
import { MODEL } from './plan/bad-model-plans.js';

describe('checkPlan', () => {
  it.each([...SHAPE, ...MODEL])('refuses %s and names the path', (_name, value, path, message) => {
    const problems = problemsOf(value);
    expect(problems.map((item) => item.path)).toEqual([path]);
    expect(problems[0]?.message).toMatch(message);
  });

  it('reports problems of shape and of the model in one answer', () => {
    const problems = problemsOf(
      plan(
        { aspect_ratio: '5:4', settings: { steps: 3 }, batch_size: 0, extra: 1, total_clips: 9 },
        clip(1, { duration: -1 }),
        clip(1),
        'not a clip',
      ),
    );
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'aspect_ratio',
      'batch_size',
      'clip_prompts.0.duration',
      'clip_prompts.1.clip_index',
      'clip_prompts.2',
      'extra',
      'settings.steps',
      'total_clips',
    ]);
  });

  it('checks the rest of a plan against the model even when its clips are missing', () => {
    const problems = problemsOf({ aspect_ratio: '5:4', total_clips: 3, max_cost_usd: 0.01 });
    expect(problems.map(({ path }) => path).sort()).toEqual(['aspect_ratio', 'clip_prompts']);
  });

  it('reports no counts that depend on clips it could not read', () => {
    const clips = Array.from({ length: 1001 }, (_, index) => clip(index));
    const problems = problemsOf({ total_clips: 1001, clip_prompts: clips });
    expect(problems.map(({ path }) => path)).toEqual(['clip_prompts']);
  });

  it('stays quick and short for sixty thousand unknown fields', () => {
    const extra = Object.fromEntries(
      Array.from({ length: 60_000 }, (_, n) => [`k${String(n)}`, 1]),
    );
    expect(problemsOf(plan(extra))).toHaveLength(101);
  });

  it('lists at most a hundred problems and the number of the others', () => {
    const clips = Array.from({ length: 150 }, (_, index) => clip(index, { duration: 0 }));
    const problems = problemsOf({ clip_prompts: clips });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)?.message).toBe('and 50 more problems');
  });

  it('refuses more than 1 MiB of JSON', () => {
    const clips = Array.from({ length: 300 }, (_, i) => clip(i, { prompt: 'é'.repeat(2000) }));
    expect(problemsOf({ clip_prompts: clips })[0]?.message).toContain(String(MAX_PLAN_BYTES));
  });

  it('accepts 1,000 clips', () => {
    const clips = Array.from({ length: 1000 }, (_, index) => clip(index));
    expect(accepted({ clip_prompts: clips }).resolved.clips).toHaveLength(1000);
  });

  it('accepts additional fields that planners write', () => {
    expect(problemsOf(plan({ total_clips: 3, generation_time: 12.5 }))).toEqual([]);
    expect(problemsOf(plan({ generation_time: null }))).toEqual([]);
  });

  it.each(['trailer', 'images', 'window'])('accepts the example %s', (name) => {
    const text = readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8');
    expect(problemsOf(JSON.parse(text))).toEqual([]);
  });

  it('keeps the bundled example to twelve clips that need no image', () => {
    const text = readFileSync(new URL('../../examples/trailer.json', import.meta.url), 'utf8');
    const { clips } = accepted(JSON.parse(text)).resolved;
    expect(clips).toHaveLength(12);
    expect(new Set(clips.map((item) => item.requested_duration))).toEqual(new Set([5, 10]));
  });
});
