/** A job of the page's tests and pictures, made of the real domain: twelve clips of one trailer. */
import { initialClip } from '../../src/domain/job/initial-job.js';
import type {
  Clip,
  ClipEventType,
  Job,
  JobFact,
  Prediction,
} from '../../src/domain/job/job.schema.js';
import { emptyJob } from '../../src/domain/job/initial-job.js';
import { problem, type FailureKind } from '../../src/domain/job/failures.js';

const PROMPTS = [
  'Dawn over a harbour city, slow aerial push-in through the mist, golden light on wet roofs',
  'A courier on a red bicycle turns into a narrow market street, handheld, shallow focus',
  'Close-up of hands folding a paper map, dust in a beam of sunlight',
  'A train crosses a stone viaduct in heavy rain, wide shot from the valley',
  'Night: neon signs reflected in puddles, a figure in a yellow coat walks away',
  'A lighthouse beam sweeps over a stormy sea, waves breaking on black rocks',
  'Macro of an old radio dial glowing to life, the needle finds a station',
  'Two friends run across a rooftop at dusk, the city opens beneath them',
  'A fox stops in fresh snow and looks straight into the camera',
  'Inside an observatory the dome opens slowly, stars pour in',
  'A paper boat carried by a stream through a mossy forest, low tracking shot',
  'Title card forms out of drifting embers on black',
];
const TARGETS = [3, 5, 5.2, 7.5, 4, 8, 5, 10, 6.4, 9.5, 3.5, 5];

const clipAt = (clip_index: number): Clip => {
  const target = TARGETS[clip_index % TARGETS.length] ?? 5;
  const requested = target <= 5 ? 5 : 10;
  return initialClip({
    clip_index,
    prompt: PROMPTS[clip_index % PROMPTS.length] ?? 'A clip',
    negative_prompt: '',
    metadata: {},
    target_duration: target,
    original_target_duration: target,
    requested_duration: requested,
    buffer_strategy: 'maximum',
    duration_reason: `${String(requested)} s is the shortest this model makes that covers ${String(target)} s`,
    input: {},
    price: null,
    estimated_cost_usd: requested * 0.07,
    cost_increase_percent: 0,
    usual_time: 60,
  });
};

export function sampleJob(job_id: string, count = 12, more: Partial<Job> = {}): Job {
  const clips = Array.from({ length: count }, (_, index) => clipAt(index));
  return {
    ...emptyJob({
      job_id,
      run_id: `run-of-${job_id}`,
      created_at: new Date().toISOString(),
      simulated: false,
    }),
    model: 'kwaivgi/kling-v2.5-turbo-pro',
    total_clips: count,
    min_successful_clips: Math.min(3, count),
    estimated_cost_usd:
      Math.round(clips.reduce((sum, clip) => sum + (clip.estimated_cost_usd ?? 0), 0) * 100) / 100,
    max_cost_usd: 20,
    cost_increase_percent: 18.2,
    clips,
    ...more,
  };
}

export const started = (job: Job): JobFact => ({
  type: 'job.started',
  run_id: job.run_id,
  total_clips: job.total_clips,
  model: job.model,
  estimated_cost_usd: job.estimated_cost_usd,
});

const prediction = (clip: Clip, more: Partial<Prediction>): Prediction => ({
  id: `prediction${String(clip.clip_index)}`,
  attempt: Math.max(1, clip.attempt),
  status: 'processing',
  url: `https://replicate.com/p/prediction${String(clip.clip_index)}`,
  created_at: new Date().toISOString(),
  completed_at: null,
  predict_time: null,
  requested_duration: clip.requested_duration,
  unit_price: null,
  cost_usd: null,
  billed: null,
  adopted: false,
  ...more,
});

type Change = (clip: Clip) => { type: ClipEventType; clip: Clip };

const secondsAgo = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** What can happen to a clip, as the event that says so. */
export const STEPS = {
  scheduled: (): Change => (clip) => ({
    type: 'clip.started',
    clip: { ...clip, status: 'queued', waits_for: 'worker', started_at: secondsAgo(1) },
  }),
  rendering:
    (age = 21): Change =>
    (clip) => ({
      type: 'clip.submitted',
      clip: {
        ...clip,
        status: 'running',
        attempt: Math.max(1, clip.attempt),
        percent: 10,
        started_at: secondsAgo(age),
        predictions: [prediction(clip, {})],
      },
    }),
  storing: (): Change => (clip) => ({
    type: 'clip.storing',
    clip: {
      ...clip,
      status: 'storing',
      percent: 90,
      attempt: 1,
      started_at: secondsAgo(48),
      cost_usd: clip.estimated_cost_usd,
      predictions: [prediction(clip, { status: 'succeeded' })],
    },
  }),
  retrying:
    (wait = 14): Change =>
    (clip) => ({
      type: 'clip.retrying',
      clip: {
        ...clip,
        status: 'retrying',
        attempt: 2,
        retry_count: 1,
        percent: 10,
        started_at: secondsAgo(61),
        cost_usd: clip.estimated_cost_usd,
        next_attempt_at: secondsAgo(-wait),
        predictions: [prediction(clip, { status: 'failed' })],
        error: problem('provider_error', 'Prediction interrupted; please retry (code: PA)'),
      },
    }),
  ready:
    (media: { video: string; thumbnail: string | null }): Change =>
    (clip) => ({
      type: 'clip.completed',
      clip: {
        ...clip,
        status: 'succeeded',
        attempt: Math.max(1, clip.attempt),
        percent: 100,
        started_at: secondsAgo(70),
        completed_at: secondsAgo(12),
        generation_time: 58.4,
        actual_duration: clip.requested_duration + 0.04,
        duration_diff: 0.04,
        cost_usd: clip.estimated_cost_usd,
        error: null,
        next_attempt_at: null,
        video_url: media.video,
        thumbnail_url: media.thumbnail,
        predictions: [prediction(clip, { status: 'succeeded' })],
      },
    }),
  failed:
    (
      kind: FailureKind = 'flagged',
      message = 'The input or output was flagged as sensitive. Please try again with different inputs. (E005)',
    ): Change =>
    (clip) => ({
      type: 'clip.failed',
      clip: {
        ...clip,
        status: 'failed',
        attempt: 1,
        percent: 100,
        started_at: secondsAgo(50),
        completed_at: secondsAgo(30),
        generation_time: null,
        cost_usd: clip.estimated_cost_usd,
        error: problem(kind, message),
        predictions: [prediction(clip, { status: 'failed' })],
      },
    }),
  canceled: (): Change => (clip) => ({
    type: 'clip.canceled',
    clip: {
      ...clip,
      status: 'canceled',
      percent: 100,
      completed_at: secondsAgo(5),
      error: problem('canceled', 'Canceled on request.'),
    },
  }),
};

export function clipFact(job: Job, clip_index: number, change: Change): JobFact {
  const clip = job.clips.find((candidate) => candidate.clip_index === clip_index);
  if (clip === undefined) throw new Error(`No clip ${String(clip_index)}`);
  return { ...change(clip), clip_index };
}
