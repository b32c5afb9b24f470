/** What Temporal knows of a download that is tried again, in the job and in the frames of its stream. */
import { defaultPayloadConverter } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { PendingActivity } from '../../../src/api/jobs/jobs-port.js';
import { clipProgress, withPending, withStoring } from '../../../src/api/jobs/pending-clips.js';
import { pendingActivity } from '../../../src/api/jobs/temporal-rows.js';
import type { Heartbeat } from '../../../src/contract/activities.js';
import type { Clip, ClipStatus, Job } from '../../../src/domain/job/job.schema.js';

const NEXT = '2030-01-01T00:00:00.000Z';
const STORING: PendingActivity = {
  activity_id: 'store-0',
  state: 'scheduled',
  next_attempt_at: NEXT,
  last_started_at: null,
  last_error: 'expected the file, got HTTP 404',
  last_error_kind: 'output_lost',
  executions: 7,
  heartbeat: null,
};

const jobWith = (status: ClipStatus): Job =>
  ({
    clips: [{ clip_index: 0, status, attempt: 2, next_attempt_at: null, error: null }],
    warnings: [],
    warnings_total: 0,
  }) as unknown as Job;
const first = (job: Job): Clip | undefined => job.clips[0];

describe('a clip whose download is tried again', () => {
  it.each([withStoring, withPending])(
    'shows why, how often and when next in its job',
    (overlay) => {
      expect(first(overlay(jobWith('storing'), [STORING]))).toMatchObject({
        status: 'storing',
        attempt: 2,
        next_attempt_at: NEXT,
        error: {
          kind: 'output_lost',
          message: 'expected the file, got HTTP 404 (tried 7 times)',
          retryable: true,
        },
      });
    },
  );

  it('shows the last reason while the next download runs', () => {
    const running: PendingActivity = { ...STORING, state: 'started', next_attempt_at: null };
    expect(first(withStoring(jobWith('storing'), [running]))).toMatchObject({
      next_attempt_at: null,
      error: { kind: 'output_lost' },
    });
    const progress = clipProgress('a', { activity: running, clip: null, usual_time: null, now: 0 });
    expect(progress).toMatchObject({
      phase: 'storing',
      last_error: 'expected the file, got HTTP 404 (tried 7 times)',
    });
  });

  it.each<[string, ClipStatus, PendingActivity]>([
    ['a clip that is over by now', 'succeeded', STORING],
    ['a clip that renders', 'running', { ...STORING, activity_id: 'clip-0' }],
    ['a first download', 'storing', { ...STORING, last_error: null, last_error_kind: null }],
    ['a worker that went away', 'storing', { ...STORING, last_error_kind: null }],
    ['another clip', 'storing', { ...STORING, activity_id: 'store-1' }],
  ])('leaves %s as the workflow tells it', (_name, status, activity) => {
    expect(withStoring(jobWith(status), [activity])).toEqual(jobWith(status));
  });

  it("takes kind and number from Temporal's own row, and no kind that is not the product's", () => {
    const row = (type: string) =>
      pendingActivity({
        activityId: 'store-0',
        attempt: 3,
        lastFailure: { message: 'm', applicationFailureInfo: { type } },
      });
    expect(row('output_lost')).toMatchObject({ last_error_kind: 'output_lost', executions: 3 });
    expect(row('Whatever')).toMatchObject({ last_error_kind: null, last_error: 'm' });
  });
});

describe('a clip that no worker has taken yet', () => {
  const scheduled: PendingActivity = {
    ...STORING,
    activity_id: 'clip-0',
    next_attempt_at: null,
    last_error: null,
    last_error_kind: null,
    executions: 1,
  };
  const waiting: Heartbeat = {
    attempt: 1,
    failed_attempts: 0,
    phase: 'waiting',
    prediction_id: null,
    status: null,
    percent: null,
    until: NEXT,
    message: 'the provider limits creates',
  };
  const started = (heartbeat: Heartbeat): PendingActivity => ({
    ...scheduled,
    state: 'started',
    heartbeat,
  });
  const job = jobWith('queued');

  it.each([
    ['a worker, while none polls', scheduled, false, 'worker', 'waiting_for_worker'],
    ['a worker, while Temporal does not answer', scheduled, null, 'worker', 'waiting_for_worker'],
    ['the rate of creates, while workers poll', scheduled, true, 'rate', 'waiting_for_rate'],
    ['the rate of creates, where the provider says so', started(waiting), true, 'rate', 'waiting'],
    [
      'nothing once it is sent',
      started({ ...waiting, phase: 'creating' }),
      true,
      undefined,
      'creating',
    ],
  ] as const)('waits for %s', (_name, activity, hasRenderWorkers, wait, phase) => {
    expect(first(withStoring(job, [activity], hasRenderWorkers))?.waits_for).toBe(wait);
    const progress = clipProgress('a', {
      activity,
      clip: null,
      usual_time: null,
      hasRenderWorkers,
      now: 0,
    });
    expect(progress).toMatchObject({ phase });
  });

  it('stays queued while only Temporal answers', () => {
    expect(first(withPending(job, [scheduled], false))).toMatchObject({
      status: 'queued',
      waits_for: 'worker',
    });
  });

  it('waits for clips before it as long as it is not scheduled', () => {
    const clip = { ...first(job), waits_for: 'turn' } as Clip;
    const turn = { ...job, clips: [clip] };
    expect(withStoring(turn, [], true).clips).toEqual([clip]);
  });
});

describe('what waits for its turn', () => {
  const waiting = (activity_id: string, waits_for: string): PendingActivity => ({
    ...STORING,
    activity_id,
    state: 'started',
    next_attempt_at: null,
    last_error: null,
    last_error_kind: null,
    waits_for,
  });
  const job = { ...jobWith('storing'), warnings: ['a warning'], warnings_total: 8 };

  it.each([withStoring, withPending])('is told once for all clips, while it waits', (overlay) => {
    const pending = [
      waiting('store-10', 'waits for its turn'),
      waiting('store-2', 'waits for its turn'),
      waiting('7', 'waits for a host'),
    ];
    expect(overlay(job, pending).warnings).toEqual([
      'a warning',
      'clip 2, 10: waits for its turn',
      "the job's reference images: waits for a host",
    ]);
    const over = pending.map((one): PendingActivity => ({ ...one, state: 'scheduled' }));
    expect(overlay(job, over).warnings).toEqual(['a warning']);
  });

  it('is told in the frames of its clip', () => {
    const activity = waiting('store-0', 'waits for its turn');
    expect(clipProgress('a', { activity, clip: null, usual_time: null, now: 0 })).toMatchObject({
      phase: 'storing',
      message: 'waits for its turn',
    });
  });

  it("is taken from Temporal's own row, and from nothing that is not a sentence", () => {
    const row = (waits_for: unknown) =>
      pendingActivity({
        activityId: 'store-0',
        heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload({ waits_for })] },
      }).waits_for;
    expect(row('waits')).toBe('waits');
    expect([row(null), row(7), row({})]).toEqual([null, null, null]);
  });
});
