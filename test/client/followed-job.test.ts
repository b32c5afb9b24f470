import { describe, expect, it } from 'vitest';
import type { Job, JobEvent, JobFact } from '../../src/domain/job/job.schema.js';
import { record } from '../../src/domain/job/progress.js';
import { fold, openedWith, type FollowedJob } from '../../src/client/followed-job.js';
import type { ClipProgress } from '../../src/client/wire.js';
import { clipFact, sampleJob, started, STEPS } from '../web/sample-job.js';

const AT = '2026-01-31T12:00:00.000Z';

/** A job and what happened to it, as the workflow would record it. */
function history(): { first: Job; last: Job; events: JobEvent[] } {
  const first = sampleJob('film', 3);
  let job = first;
  const events: JobEvent[] = [];
  const happens = (fact: JobFact): void => {
    const recorded = record(job, fact, AT);
    job = recorded.job;
    events.push(recorded.event);
  };
  happens(started(job));
  happens({ type: 'batch.started', batch: 1, batches: 1, clip_indexes: [0, 1, 2] });
  happens(clipFact(job, 0, STEPS.rendering()));
  happens(clipFact(job, 0, STEPS.ready({ video: '/v', thumbnail: null })));
  happens({ type: 'job.warning', message: 'careful' });
  return { first, last: job, events };
}

const foldAll = (state: FollowedJob, events: JobEvent[]): FollowedJob =>
  events.reduce((before, event) => fold(before, { kind: 'event', event }), state);

const waiting: ClipProgress = {
  job_id: 'film',
  clip_index: 0,
  attempt: 1,
  percent: null,
  phase: 'waiting_for_worker',
  estimated: false,
};

describe('a reader folds a job', () => {
  it('into exactly the job the workflow has', () => {
    const { first, last, events } = history();
    expect(foldAll(openedWith(first), events).job).toEqual(last);
  });

  it('the same when every event comes twice', () => {
    const { first, last, events } = history();
    const state = foldAll(
      openedWith(first),
      events.flatMap((event) => [event, event]),
    );
    expect(state.job).toEqual(last);
  });

  it('never back in time by a snapshot that no worker has confirmed', () => {
    const { first, last, events } = history();
    const state = foldAll(openedWith(first), events);
    const after = fold(state, { kind: 'snapshot', job: { ...first, stale: true } });
    expect(after.job).toEqual({ ...last, stale: true });
  });

  it('and takes the mark of staleness away with the next event', () => {
    const { first, last, events } = history();
    const state = foldAll(openedWith({ ...first, stale: true }), events);
    expect(state.job).toEqual(last);
  });

  it('forgetting live progress as soon as an event tells more', () => {
    const { first, events } = history();
    const live: ClipProgress = { ...waiting, percent: 50, phase: 'rendering', estimated: true };
    const state = fold(foldAll(openedWith(first), events.slice(0, 3)), {
      kind: 'progress',
      progress: live,
    });
    expect(state.live.get(0)).toEqual(live);
    expect(foldAll(state, events).live.size).toBe(0);
  });
});

describe('staleness', () => {
  it('is told by live frames too, both ways', () => {
    const { first } = history();
    const away = fold(openedWith(first), {
      kind: 'progress',
      progress: { ...waiting, stale: true },
    });
    expect(away.job?.stale).toBe(true);
    expect(fold(away, { kind: 'progress', progress: waiting }).job).toEqual(first);
  });
});
