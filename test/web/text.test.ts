/** The page's small readers: plans with mistakes, time that is left. */
import { describe, expect, it } from 'vitest';
import { record } from '../../src/domain/job/progress.js';
import { jobName, named } from '../../src/web/job-name.js';
import { readPlanText } from '../../src/web/plan-text.js';
import { secondsLeft } from '../../src/web/time-left.js';
import { clipFact, sampleJob, started, STEPS } from './sample-job.js';

describe('a plan as text', () => {
  it('is nothing while it is blank, and JSON when it is JSON', () => {
    expect(readPlanText(' \n')).toEqual({ kind: 'empty' });
    expect(readPlanText('{"a": [1]}')).toEqual({ kind: 'json', value: { a: [1] } });
  });

  it('says on which line and column it breaks', () => {
    const answer = readPlanText('{\n  "model": "x",\n  oops\n}');
    expect(answer).toMatchObject({ kind: 'broken' });
    expect(answer.kind === 'broken' && answer.message).toMatch(/"oops" at line 3, column 3/);
  });
});

describe('a job started on the page', () => {
  it('has a name that can be read and found again', () => {
    expect(jobName(new Date('2026-01-31T12:00:00Z'), Uint8Array.of(0, 1, 2, 255))).toBe(
      '2026-01-31-bcdr',
    );
  });

  it('keeps the job_id of its plan, and leaves what is no plan to the API', () => {
    expect(named({ job_id: 'mine', model: 'x' }, 'other')).toEqual({ job_id: 'mine', model: 'x' });
    expect(named({ model: 'x' }, 'other')).toEqual({ job_id: 'other', model: 'x' });
    expect(named({ job_id: null }, 'other')).toEqual({ job_id: 'other' });
    expect(named([1], 'other')).toEqual([1]);
  });
});

describe('the time left', () => {
  const now = Date.now();

  it('is unknown rather than invented', () => {
    expect(secondsLeft(sampleJob('film', 3), null, now)).toBeNull();
  });

  it('counts the batches still to come by the usual time', () => {
    expect(secondsLeft(sampleJob('film', 12), 60, now)).toBe(180);
  });

  it('believes what this job measured more than what is usual', () => {
    let job = sampleJob('film', 6);
    const files = { video: '/v', thumbnail: null };
    const at = new Date(now).toISOString();
    job = record(job, started(job), at).job;
    job = record(job, clipFact(job, 0, STEPS.ready(files)), at).job;
    expect(secondsLeft(job, 1000, now)).toBeCloseTo(58.4, 5);
  });
});
