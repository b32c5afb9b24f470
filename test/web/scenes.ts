/** The page's states as scripted jobs: what the pictures in docs/images show and what axe looks at. */
import sharp from 'sharp';
import { everyComparison, ranked } from '../../src/domain/pricing/compare-models.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import type { MockApi } from './mock-api.js';
import { clipFact, sampleJob, started, STEPS } from './sample-job.js';

const HUES: readonly [string, string, string][] = [
  ['#f3b27a', '#c96f5b', '#3f4a6b'],
  ['#e05a47', '#8c3b4a', '#2b2233'],
  ['#f0d6a8', '#b98d5a', '#5a4030'],
  ['#9fb4bd', '#5f7784', '#27343d'],
  ['#3a2f6b', '#a63d7a', '#f5c542'],
  ['#8fb3b5', '#2f5d6b', '#0f222b'],
];

/** A still that reads as a landscape: sky, sun, two ridges. */
export async function still(index: number): Promise<Buffer> {
  const [sky, middle, ground] = HUES[index % HUES.length] ?? ['#888', '#666', '#444'];
  const sun = 60 + ((index * 53) % 200);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180">
    <defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="${sky}"/><stop offset="1" stop-color="${middle}"/></linearGradient></defs>
    <rect width="320" height="180" fill="url(#g)"/>
    <circle cx="${String(sun)}" cy="${String(64 + (index % 3) * 14)}" r="24" fill="#fff" fill-opacity=".78"/>
    <path d="M0 ${String(120 - (index % 4) * 6)} Q80 ${String(80 + (index % 5) * 6)} 160 112 T320 104 V180 H0z" fill="${ground}" fill-opacity=".55"/>
    <path d="M0 146 Q90 ${String(112 + (index % 3) * 8)} 190 142 T320 132 V180 H0z" fill="${ground}"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 82 }).toBuffer();
}

/** Gives a clip's files to the mock and returns their paths. */
async function media(
  mock: MockApi,
  jobId: string,
  index: number,
): Promise<{ video: string; thumbnail: string }> {
  const base = `/v1/jobs/${jobId}/clips/${String(index)}`;
  mock.files.set(`${base}/thumbnail`, { type: 'image/jpeg', bytes: await still(index) });
  mock.files.set(`${base}/video`, {
    type: 'video/mp4',
    bytes: Buffer.from(`video ${String(index)}`),
  });
  return { video: `${base}/video`, thumbnail: `${base}/thumbnail` };
}

const backdate = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export async function begin(mock: MockApi, jobId: string, count = 12): Promise<void> {
  mock.add(sampleJob(jobId, count, { created_at: backdate(125) }));
  mock.emit(jobId, started(mock.job(jobId)), backdate(124));
}

export const complete = async (mock: MockApi, jobId: string, index: number): Promise<void> => {
  const step = STEPS.ready(await media(mock, jobId, index));
  mock.emit(jobId, clipFact(mock.job(jobId), index, step));
};

/** Every state of a clip at once. */
export async function mixed(mock: MockApi, jobId: string): Promise<void> {
  await begin(mock, jobId);
  for (const index of [0, 1, 2, 3, 5]) await complete(mock, jobId, index);
  const steps = [
    [4, STEPS.failed()],
    [6, STEPS.rendering(34)],
    [8, STEPS.rendering(9)],
    [9, STEPS.storing()],
    [10, STEPS.canceled()],
  ] as const;
  waitForRetry(mock, jobId);
  for (const [index, step] of steps) {
    mock.emit(jobId, clipFact(mock.job(jobId), index, step));
  }
}

/** Anew for every picture, so that the countdown counts. */
export const waitForRetry = (mock: MockApi, jobId: string): void => {
  mock.emit(jobId, clipFact(mock.job(jobId), 7, STEPS.retrying(14)));
};

export const liveFrames = (mock: MockApi, jobId: string): void => {
  const frame = { job_id: jobId, attempt: 1, phase: 'rendering' };
  mock.frame(jobId, 'clip.progress', { ...frame, clip_index: 6, percent: 62, estimated: false });
  mock.frame(jobId, 'clip.progress', { ...frame, clip_index: 8, percent: 15, estimated: true });
};

export async function finished(mock: MockApi, jobId: string): Promise<void> {
  await begin(mock, jobId);
  for (let index = 0; index < 12; index += 1) {
    if (index === 4) mock.emit(jobId, clipFact(mock.job(jobId), index, STEPS.failed()));
    else await complete(mock, jobId, index);
  }
  mock.emit(jobId, {
    type: 'job.completed',
    error: null,
    total_cost_usd: mock.job(jobId).total_cost_usd,
  });
}

export async function lost(mock: MockApi, jobId: string): Promise<void> {
  await begin(mock, jobId, 4);
  const broke = STEPS.failed(
    'insufficient_credit',
    'Insufficient credit: you have insufficient credit to run this model. Go to https://replicate.com/account/billing to purchase credit.',
  );
  mock.emit(jobId, clipFact(mock.job(jobId), 0, broke));
  for (const index of [1, 2, 3]) {
    mock.emit(jobId, clipFact(mock.job(jobId), index, STEPS.canceled()));
  }
  mock.emit(jobId, {
    type: 'job.failed',
    error: {
      kind: 'insufficient_clips',
      message: '0 of the 3 needed clips succeeded.',
      retryable: false,
    },
    total_cost_usd: 0,
  });
}

/** An estimate as the API answers it, from the sample's own figures. */
export const estimateAnswer = (): { status: number; body: unknown } => {
  const job = sampleJob('estimate');
  return {
    status: 200,
    body: {
      clips: job.clips.map((clip) => ({
        clip_index: clip.clip_index,
        target_duration: clip.target_duration,
        requested_duration: clip.requested_duration,
        duration_reason: clip.duration_reason,
        estimated_cost_usd: clip.estimated_cost_usd,
        cost_increase_percent: clip.clip_index === 2 ? 100 : 0,
      })),
      estimated_cost_usd: job.estimated_cost_usd,
      cost_increase_percent: 18.2,
      dispatch: 'batches',
      makespan: { batches: 195, window: 170 },
      alternatives: [
        {
          model: 'bytedance/seedance-1-pro',
          estimated_cost_usd: 4.94,
          saves_percent: 21.6,
          message: '5.2 s costs 10 s here ($0.7); bytedance/seedance-1-pro asks 7 s for $0.42',
        },
      ],
      warnings: ['clip_prompts.2: 5.2 s costs 10 s with this model, 100 % more than 5 s would.'],
    },
  };
};

export const PLAN_MISTAKES = {
  status: 400,
  body: {
    title: 'Bad Request',
    detail: 'The plan has 3 mistakes.',
    errors: [
      {
        path: 'clip_prompts.0.duration',
        message: 'expected a number above 0 and at most 60, got -1',
      },
      {
        path: 'clip_prompts.3.clip_index',
        message: 'expected a unique clip_index, got 2, which clip_prompts.2 has too',
      },
      { path: 'aspect_ratio', message: 'expected one of 16:9, 9:16, 1:1, got "4:3"' },
    ],
  },
};

/** What the API answers to a comparison of this plan. */
const comparisonAnswer = (plan: unknown): { status: number; body: unknown } => {
  const context = {
    catalogue: CATALOGUE,
    default_model: 'prunaai/p-video',
    duration_buffer: 1.25,
  };
  return { status: 200, body: { models: ranked([...everyComparison(plan as Plan, context)]) } };
};

/** Estimates and comparisons of any plan, for `MockApi.respond`. */
export const answerPlans: MockApi['respond'] = ({ path, body }) => {
  if (path === '/v1/jobs/estimate') return estimateAnswer();
  return path === '/v1/models/compare' ? comparisonAnswer(body) : null;
};
