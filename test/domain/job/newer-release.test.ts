/** What a newer release has written, read by this one: events, kinds of failure and fields that it does not know (decision 55). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continueJob } from '../../../src/domain/job/continue-job.js';
import { FAILURE_KINDS, problem, ruleOf } from '../../../src/domain/job/failure-kinds.js';
import type { FailureKind } from '../../../src/domain/job/failure-kinds.js';
import { allowsFallback } from '../../../src/domain/job/fallbacks.js';
import { entryOf } from '../../../src/domain/job/index-entry.js';
import { emptyJob, initialClip } from '../../../src/domain/job/initial-job.js';
import type { Clip, Job, JobEvent } from '../../../src/domain/job/job.schema.js';
import { fitJob } from '../../../src/domain/job/payload-size.js';
import {
  apply,
  EVENT_TYPES,
  isKnownEvent,
  record,
  withTotals,
} from '../../../src/domain/job/progress.js';
import type { ResolvedClip } from '../../../src/domain/plan/resolved.js';

const AT = '2030-01-01T00:00:00.000Z';
const clip = initialClip({ clip_index: 0, prompt: 'a lighthouse', metadata: {} } as ResolvedClip);
const job: Job = withTotals({
  ...emptyJob({ job_id: 'a', run_id: 'r', created_at: AT, simulated: true }),
  status: 'running',
  seq: 7,
  clips: [clip],
});

/** As a newer release numbers it. */
const eventOf = (fact: object, seq = 8): JobEvent =>
  ({ job_id: 'a', seq, at: AT, progress: {}, ...fact }) as unknown as JobEvent;

const unknownType = fc
  .oneof(
    fc.string(),
    fc.string().map((name) => `clip.${name}`),
    fc.string().map((name) => `job.${name}`),
    fc.constantFrom('__proto__', 'constructor', 'toString'),
  )
  .filter((type) => !(EVENT_TYPES as readonly string[]).includes(type));

describe('an event of a newer release', () => {
  it('is numbered and changes nothing else, with any name and content', () => {
    fc.assert(
      fc.property(
        unknownType,
        fc.dictionary(fc.string(), fc.jsonValue()).map(({ clip: _, ...fields }) => fields),
        (type, fields) => {
          const event = eventOf({ ...fields, seq: 8, at: AT, type });
          expect(isKnownEvent(event)).toBe(false);
          expect(apply(job, event)).toEqual({ ...job, seq: 8 });
        },
      ),
    );
  });

  it('that carries a clip is folded like any other event of a clip', () => {
    const reviewed = { ...clip, status: 'running', percent: 50 };
    const event = eventOf({ type: 'clip.reviewed', clip_index: 0, clip: reviewed });
    expect(apply(job, event)).toMatchObject({ seq: 8, percent: 50, clips: [reviewed] });
  });

  it('is followed by events that are folded as ever', () => {
    const after = apply(job, eventOf({ type: 'job.reviewed' }));
    expect(apply(after, eventOf({ type: 'job.paused' }, 9))).toMatchObject({
      status: 'paused',
      seq: 9,
    });
  });
});

describe('a kind of failure of a newer release', () => {
  const error = { kind: 'copyright' as FailureKind, message: 'a melody', retryable: true };

  it('halts no job, is handed to no other model, and is retried only where its flag says so', () => {
    expect(FAILURE_KINDS).not.toContain(error.kind);
    expect(problem(error.kind, error.message)).toEqual({ ...error, retryable: false });
    expect(ruleOf(error.kind)).toMatchObject({ retry: false, halts: false });
    expect(allowsFallback(error)).toBe(false);
    expect(ruleOf('toString')).toBe(ruleOf(error.kind));
  });

  it('is kept in the job and counted in the index of finished jobs under its own name', () => {
    const failed: Clip = { ...clip, status: 'failed', error };
    const { job: over } = record(
      apply(job, eventOf({ type: 'clip.failed', clip_index: 0, clip: failed })),
      { type: 'job.failed', error, total_cost_usd: 0 },
      AT,
    );
    expect(over).toMatchObject({ error, clips: [{ error }] });
    expect(entryOf(over)?.sums.clips).toEqual({ 'failed/copyright': 1 });
  });
});

describe('a field of a newer release', () => {
  const line = { id: 'p', status: 'processing', cost_usd: null, billed: null, hue: 'blue' };
  const newer = {
    ...job,
    mood: 'calm',
    clips: [{ ...clip, hue: 'blue', predictions: [line] }],
  } as unknown as Job;

  it('stays in the job, its clips and their predictions, through events, retries and answers', () => {
    const kept = { mood: 'calm', clips: [{ hue: 'blue', predictions: [{ hue: 'blue' }] }] };
    expect(apply(newer, eventOf({ type: 'job.paused' }))).toMatchObject(kept);
    expect(continueJob(job, newer)).toMatchObject(kept);
    expect(fitJob(newer, 100)).toMatchObject(kept);
    expect(entryOf({ ...newer, status: 'failed' })?.job).toMatchObject({ mood: 'calm' });
  });
});
