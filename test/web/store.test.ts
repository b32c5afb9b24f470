import { describe, expect, it } from 'vitest';
import type { Job, JobEvent, JobFact } from '../../src/domain/job/job.schema.js';
import { record } from '../../src/domain/job/progress.js';
import { EMPTY, fold, leavesGap, readFrame, type PageState } from '../../src/web/store.js';
import { clipFact, sampleJob, started, STEPS } from './sample-job.js';

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

const from = (job: Job): PageState => fold(EMPTY, { kind: 'snapshot', job });
const foldAll = (state: PageState, events: JobEvent[]): PageState =>
  events.reduce((before, event) => fold(before, { kind: 'event', event }), state);

describe('the page folds a job', () => {
  it('into exactly the job the workflow has', () => {
    const { first, last, events } = history();
    expect(foldAll(from(first), events).job).toEqual(last);
  });

  it('the same when every event comes twice', () => {
    const { first, last, events } = history();
    const state = foldAll(
      from(first),
      events.flatMap((event) => [event, event]),
    );
    expect(state.job).toEqual(last);
    expect(state.log).toHaveLength(events.length);
  });

  it('not at all past a gap, and says that there is one', () => {
    const { first, events } = history();
    const state = from(first);
    const third = events[2];
    if (third === undefined) throw new Error('three events are needed');
    expect(leavesGap(state, third)).toBe(true);
    expect(fold(state, { kind: 'event', event: third })).toBe(state);
  });

  it('never back in time by a snapshot that nobody could refresh', () => {
    const { first, last, events } = history();
    const state = foldAll(from(first), events);
    const after = fold(state, { kind: 'snapshot', job: { ...first, stale: true } });
    expect(after.job).toEqual({ ...last, stale: true });
  });

  it('and takes the mark of staleness away with the next event', () => {
    const { first, last, events } = history();
    const state = foldAll(
      fold(EMPTY, { kind: 'snapshot', job: { ...first, stale: true } }),
      events,
    );
    expect(state.job).toEqual(last);
  });

  it('forgetting live progress as soon as an event tells more', () => {
    const { first, events } = history();
    const live = { clip_index: 0, attempt: 1, percent: 50, phase: 'rendering', estimated: true };
    const state = fold(foldAll(from(first), events.slice(0, 3)), {
      kind: 'progress',
      progress: live,
    });
    expect(state.live.get(0)).toEqual(live);
    expect(foldAll(state, events).live.size).toBe(0);
  });
});

describe('staleness', () => {
  const live = {
    clip_index: 0,
    attempt: 1,
    percent: null,
    phase: 'waiting_for_worker',
    estimated: false,
  };

  it('is told by live frames too, both ways', () => {
    const { first } = history();
    const away = fold(from(first), { kind: 'progress', progress: { ...live, stale: true } });
    expect(away.job?.stale).toBe(true);
    expect(fold(away, { kind: 'progress', progress: live }).job).toEqual(first);
  });
});

describe('frames', () => {
  it('are read by their name', () => {
    expect(readFrame('snapshot', '{"job_id":"a","seq":1,"clips":[]}')?.kind).toBe('snapshot');
    expect(readFrame('clip.progress', '{"clip_index":1}')?.kind).toBe('progress');
    expect(readFrame('clip.started', '{"seq":4}')?.kind).toBe('event');
  });

  it('that are broken or unknown are left out', () => {
    expect(readFrame('clip.started', '{"seq":')).toBeNull();
    expect(readFrame('something.new', '{}')).toBeNull();
    expect(readFrame('snapshot', 'null')).toBeNull();
  });
});
