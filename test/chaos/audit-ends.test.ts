/** Ends from outside: a workflow that was terminated, and a clip whose time was over. */
import { describe, expect, it } from 'vitest';
import type { JobEvidence } from '../../chaos/evidence.js';
import type { Clip } from '../../src/domain/job/job.schema.js';
import {
  accepted,
  AT,
  begun,
  clip,
  ended,
  entry,
  failure,
  kindsOf,
  line,
  told,
} from './support.js';
import type { Fact } from './support.js';

describe('a job whose workflow was terminated and that was retried', () => {
  const terminated = { ...failure('internal'), message: 'the workflow was terminated: chaos' };
  const cut = clip(0, { status: 'failed', error: terminated, predictions: [line('p1')] });
  const whole = clip(0, { predictions: [line('p1')] });
  const log: Fact[] = [
    begun(),
    told('clip.failed', cut),
    { type: 'job.failed' },
    begun('r2'),
    told('clip.retrying', { ...cut, status: 'queued', attempt: 0, error: null }),
    told('clip.completed', whole),
  ];
  const retried = (clips: Clip[], stored: [number, string][]): JobEvidence => {
    const job = ended({ clips, stored, log, answers: [accepted({ kind: 'retry' })] });
    return { ...job, scheduled: { ...job.scheduled, actions: [{ at: 1, kind: 'terminate' }] } };
  };

  it('resumes with the prediction that it had', () => {
    expect(kindsOf([entry('p1')], [retried([whole], [[0, 'p1']])])).toEqual([]);
  });

  it('has lost it where it buys another one', () => {
    const bought = clip(0, { predictions: [line('p1'), line('p2')] });
    const kinds = kindsOf([entry('p1'), entry('p2')], [retried([bought], [[0, 'p2']])]);
    expect(kinds.sort()).toEqual(['double', 'lost']);
  });

  it('is a wrong end when it is not retried', () => {
    const job = ended({ clips: [cut], log: log.slice(0, 3) });
    expect(kindsOf([entry('p1')], [job])).toContain('wrong_end');
  });
});

describe('a clip whose time is over', () => {
  const at = (seconds: number): string => new Date(Date.parse(AT) + seconds * 1000).toISOString();
  const plan = { clip_timeout: 40, min_successful_clips: 1 };
  const started = clip(0, { status: 'queued', started_at: AT });
  const asked = clip(0, { status: 'running', started_at: AT });
  const late = (seconds: number): Clip =>
    clip(0, {
      status: 'failed',
      error: failure('timed_out'),
      started_at: AT,
      completed_at: at(seconds),
    });
  const endedAt = (seconds: number, ...heard: Fact[]): string[] => {
    const over = late(seconds);
    const events = [
      begun(),
      { ...told('clip.started', started), at: AT },
      ...heard,
      { ...told('clip.failed', over), at: at(seconds) },
    ];
    return kindsOf([], [ended({ clips: [over], plan, log: events })]);
  };

  it('had it from the moment the provider could be asked', () => {
    expect(endedAt(70, { ...told('clip.started', asked), at: at(30) })).toEqual([]);
  });

  it('has not had it while it waited for a worker', () => {
    expect(endedAt(50)).toEqual(['wrong_end']);
    expect(endedAt(60, { ...told('clip.started', asked), at: at(55) })).toEqual(['wrong_end']);
  });
});
