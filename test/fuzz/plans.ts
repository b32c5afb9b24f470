/** Any plan at its three doors, HTTP, terminal and workflow: the same verdict in the same words, and no crash. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createResolvePlan } from '../../src/activities/resolve-plan.js';
import type { PlanProblem } from '../../src/domain/plan/plan-problems.schema.js';
import { readPlanFile } from '../../src/commands/plan-file.js';
import { harness } from '../api/harness.js';
import { CONTEXT } from '../support/checked-plans.js';
import { checkPlan } from '../../src/domain/plan/check-plan.schema.js';
import { notedCreates } from '../support/creates.js';
import { anyJson, mutated, propertyOf } from './fuzzer.js';
import type { Fuzzer } from './fuzzer.js';
import { testFolder } from '../support/test-folder.js';

const GOOD = [
  { clip_prompts: [{ clip_index: 0, prompt: 'a boat', duration: 5 }] },
  {
    model: 'bytedance/seedance-1-lite',
    job_id: 'boat',
    aspect_ratio: '16:9',
    settings: { resolution: '720p' },
    batch_size: 2,
    dispatch: 'window',
    min_successful_clips: 1,
    max_cost_usd: 5,
    duration_buffer: 1.25,
    clip_timeout: 900,
    clip_prompts: [
      { clip_index: 0, prompt: 'a boat', duration: 5, seed: 7, metadata: { a: [1] } },
      { clip_index: 3, prompt: 'a fox', duration: 6.4, scene_reference_url: 'https://a.com/b.jpg' },
    ],
  },
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Null: it is a good plan. A text that is no JSON has problems that each door tells in its own way. */
type Verdict = readonly PlanProblem[] | 'no plan' | null;

export const plans: Fuzzer = {
  name: 'plan',
  runs: 300,
  async open() {
    const { app } = await harness();
    const { path: folder, remove } = testFolder('plans');
    const file = path.join(folder, 'plan.json');
    const resolvePlan = createResolvePlan({
      plan: CONTEXT,
      creates: notedCreates(),
      simulated: true,
      timings: {},
      replicate: { latestVersion: async () => ({ type: 'found', version: 'a'.repeat(64) }) },
    } as unknown as Deps);

    async function byHttp(text: string): Promise<Verdict> {
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/jobs/estimate',
        headers: { 'content-type': 'application/json' },
        payload: text,
      });
      expect(answer.statusCode).toBeLessThan(500);
      if (answer.statusCode === 200) return null;
      const { errors } = answer.json<{ errors?: PlanProblem[] }>();
      return isJson(text) ? (errors ?? 'no plan') : 'no plan';
    }
    async function byTerminal(text: string): Promise<Verdict> {
      await writeFile(file, text);
      const read = await readPlanFile(file);
      if (!read.ok) return 'no plan';
      const checked = checkPlan(read.value, CONTEXT);
      return checked.ok ? null : checked.problems;
    }
    async function byWorkflow(text: string): Promise<Verdict> {
      // As the Temporal CLI sends it: the text itself.
      const input = defaultPayloadConverter.fromPayload<unknown>({
        metadata: { encoding: Buffer.from('json/plain') },
        data: Buffer.from(text),
      });
      try {
        await new MockActivityEnvironment().run(resolvePlan, input, new Date().toISOString());
        return null;
      } catch (error) {
        expect(error).toBeInstanceOf(ApplicationFailure);
        return (error as ApplicationFailure).details?.[0] as PlanProblem[];
      }
    }

    const texts = fc.oneof(
      { weight: 4, arbitrary: fc.oneof(...GOOD.map((good) => mutated(good, 3))) },
      { weight: 1, arbitrary: anyJson },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    );
    return {
      property: propertyOf(texts, async (text) => {
        const [http, terminal] = [await byHttp(text), await byTerminal(text)];
        expect(http).toEqual(terminal);
        if (terminal !== 'no plan') expect(await byWorkflow(text)).toEqual(terminal);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      [Symbol.asyncDispose]: async () => {
        remove();
      },
    };
  },
};
