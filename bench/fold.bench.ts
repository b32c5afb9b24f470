/** The pure parts that run once a fact or once an answer, for jobs of ten, a hundred and a thousand clips. */
import { bench, describe } from 'vitest';
import { checkPlan } from '../src/domain/plan/check-plan.schema.js';
import { initialJob } from '../src/domain/job/initial-job.js';
import type { Clip, Job, JobEvent } from '../src/domain/job/job.schema.js';
import { fitJob, jsonBytes } from '../src/domain/job/payload-size.js';
import { apply, record } from '../src/domain/job/progress.js';
import { describeJob } from '../src/workflows/current-details.js';
import { accepted, CONTEXT } from '../test/support/checked-plans.js';

const SIZES = [10, 100, 1_000];
const AT = '2026-01-01T00:00:00.000Z';
const IDENTITY = { job_id: 'bench', run_id: 'bench', created_at: AT, simulated: true };

const planOf = (clips: number) => ({
  clip_prompts: Array.from({ length: clips }, (_, clip_index) => ({
    clip_index,
    prompt: 'A quiet harbour in the rain, seen from a slow boat. '.repeat(17),
    duration: 5,
  })),
});

function jobOf(clips: number): Job {
  return initialJob(accepted(planOf(clips)).resolved, IDENTITY);
}

/** Every clip goes through the same four events. */
const COURSE = [
  ['clip.started', 'running'],
  ['clip.submitted', 'running'],
  ['clip.storing', 'storing'],
  ['clip.completed', 'succeeded'],
] as const satisfies [JobEvent['type'], Clip['status']][];

function historyOf(start: Job): { events: JobEvent[]; end: Job } {
  const events: JobEvent[] = [];
  let job = start;
  for (const [type, status] of COURSE) {
    for (const clip of start.clips) {
      const { clip_index } = clip;
      const after: Clip = { ...clip, status, cost_usd: 0.35 };
      const recorded = record(job, { type, clip_index, clip: after }, AT);
      job = recorded.job;
      events.push(recorded.event);
    }
  }
  return { events, end: job };
}

const SUBJECTS = SIZES.map((size) => {
  const start = jobOf(size);
  return { size, start, plan: planOf(size), ...historyOf(start) };
});
const of = (size: number): string => `${String(size)} clips`;
const OPTIONS = { time: 400, warmupTime: 100 };

describe('apply: the last event of a job', () => {
  for (const { size, events, end } of SUBJECTS) {
    const last = events.at(-1) as JobEvent;
    const before = { ...end, seq: end.seq - 1 };
    bench(of(size), () => void apply(before, last), OPTIONS);
  }
});

describe('apply: the whole log of a job', () => {
  for (const { size, events, start } of SUBJECTS) {
    bench(of(size), () => void events.reduce(apply, start), OPTIONS);
  }
});

describe('checkPlan: a plan with prompts of 900 characters', () => {
  for (const { size, plan } of SUBJECTS) {
    bench(of(size), () => void checkPlan(plan, CONTEXT), OPTIONS);
  }
});

describe('a snapshot: jsonBytes', () => {
  for (const { size, end } of SUBJECTS) bench(of(size), () => void jsonBytes(end), OPTIONS);
});

describe('a snapshot: fitJob', () => {
  for (const { size, end } of SUBJECTS) bench(of(size), () => void fitJob(end), OPTIONS);
});

describe('the details in the Web UI: describeJob', () => {
  for (const { size, end } of SUBJECTS) bench(of(size), () => void describeJob(end), OPTIONS);
});
