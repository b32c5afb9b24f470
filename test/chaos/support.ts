/** Evidence of made-up runs for the tests of the audit: the provider's ledger and the jobs'. */
import { audit } from '../../chaos/audit.js';
import { NO_FAULTS } from '../../chaos/clip-faults.js';
import type { ClipFaults } from '../../chaos/clip-faults.js';
import type {
  AnsweredRequest,
  JobEvidence,
  LedgerEntry,
  SteeringRequest,
} from '../../chaos/evidence.js';
import type { FailureKind } from '../../src/domain/job/failures.js';
import type { Clip, Job, JobEvent, Prediction, Problem } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';

export const AT = '2026-11-22T12:00:00.000Z';
export const LATER = '2026-11-22T12:00:05.000Z';

export const entry = (id: string, change: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id,
  prompt: 'a heron',
  status: 'succeeded',
  billed: true,
  usd: 0.35,
  created_at: AT,
  completed_at: LATER,
  ...change,
});

export const failure = (kind: FailureKind): Problem => ({ kind, message: 'why', retryable: false });

export const line = (id: string, change: Partial<Prediction> = {}) =>
  ({ id, attempt: 1, status: 'succeeded', billed: true, cost_usd: 0.35, ...change }) as Prediction;

export const clip = (clip_index: number, change: Partial<Clip>) =>
  ({
    clip_index,
    status: 'succeeded',
    error: null,
    predictions: [],
    estimated_cost_usd: 0.35,
    ...change,
  }) as unknown as Clip;

export interface Parts {
  clips: Clip[];
  stored?: [number, string][];
  faults?: ClipFaults[];
  job?: Partial<Job>;
  plan?: Partial<Plan>;
  answers?: AnsweredRequest[];
  log?: Fact[];
}

/** At once; the first run of a job is `r1`. */
export const accepted = (
  request: SteeringRequest,
  change: Partial<AnsweredRequest> = {},
): AnsweredRequest => ({
  request,
  sent: 1,
  status: 202,
  run_id: 'r1',
  asked_at: Date.parse(AT),
  answered_at: Date.parse(AT),
  ...change,
});

export const refused = (
  request: SteeringRequest,
  change: Partial<AnsweredRequest> = {},
): AnsweredRequest => accepted(request, { status: 409, run_id: null, ...change });

/** An event apart from what every event has. */
export type Fact = { type: JobEvent['type']; at?: string } & Record<string, unknown>;

export const told = (type: JobEvent['type'], of: Clip): Fact => ({
  type,
  clip_index: of.clip_index,
  clip: of,
});

/** A run of the job begins. */
export const begun = (run_id = 'r1', at = AT): Fact => ({ type: 'job.started', run_id, at });

/** How the round before ended, and the retry that was taken after it. */
export const nextRound = (of: Clip): Fact[] => [
  told(of.status === 'failed' ? 'clip.failed' : 'clip.canceled', of),
  told('clip.retrying', { ...of, status: 'queued', attempt: 0, error: null }),
];

export function ended(parts: Parts): JobEvidence {
  const { clips, stored = [], faults = [], job = {}, plan = {}, answers = [], log = [] } = parts;
  const good = clips.filter(({ status }) => status === 'succeeded').length;
  const lines = clips.flatMap(({ predictions }) => predictions);
  const total = lines.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
  return {
    scheduled: {
      at: 0,
      job_id: 'j',
      plan: {
        clip_prompts: clips.map(({ clip_index }) => ({
          clip_index,
          prompt: `prompt ${String(clip_index)}`,
          duration: 5,
        })),
        ...plan,
      },
      faults: clips.map((_, index) => faults[index] ?? NO_FAULTS),
      actions: [],
    },
    job: {
      job_id: 'j',
      status: good > 0 ? 'succeeded' : 'failed',
      error: good > 0 ? null : failure('insufficient_clips'),
      seq: log.length,
      batch_size: 5,
      max_cost_usd: plan.max_cost_usd ?? null,
      total_cost_usd: total,
      clips,
      ...job,
    } as Job,
    log: log.map((fact, n) => ({ at: AT, seq: n + 1, ...fact }) as unknown as JobEvent),
    answers,
    stored: new Map(stored),
  };
}

export const kindsOf = (ledger: LedgerEntry[], jobs: JobEvidence[]): string[] =>
  audit(ledger, jobs).map(({ kind }) => kind);

export const good = clip(0, { predictions: [line('p1')] });
