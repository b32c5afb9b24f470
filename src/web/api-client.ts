/**
 * Every call this page makes to the API but events and videos. It answers with values, never throws:
 * a refusal carries the problem in words, an unreachable server is a refusal with status 0.
 * When a key is needed it asks once, for all calls that wait, and repeats them.
 */
import type { Comparison } from '../domain/pricing/estimate.schema.js';
import type { JobSummary, Job } from '../domain/job/job.schema.js';
import type { ModelRow } from '../domain/models/row.js';
import { authorization } from './api-key.js';
import { under } from './base.js';
import { inTurn } from './connections.js';
import { learnTime } from './clock.js';

export interface FieldProblem {
  path: string;
  message: string;
}

export interface Refusal {
  ok: false;
  /** 0 when the server could not be reached. */
  status: number;
  message: string;
  errors: FieldProblem[];
}

export type Answer<T> = { ok: true; status: number; value: T } | Refusal;

export interface EstimatedClip {
  clip_index: number;
  target_duration: number;
  requested_duration: number;
  duration_reason?: string;
  estimated_cost_usd: number | null;
  cost_increase_percent: number;
}

export interface Estimate {
  model?: string;
  clips: EstimatedClip[];
  estimated_cost_usd: number | null;
  /** Where the model makes drafts. */
  draft_cost_usd?: number | null;
  final_cost_usd?: number | null;
  /** Of the whole plan on each model that may take over. */
  fallbacks?: { model: string; estimated_cost_usd: number | null }[];
  cost_increase_percent: number;
  warnings: string[];
  dispatch?: 'batches' | 'window';
  /** Seconds, when every first attempt is good. */
  makespan?: { batches: number; window: number };
  /** Other models that could do the same for less. */
  alternatives?: {
    model: string;
    estimated_cost_usd: number;
    saves_percent: number;
    says: string;
  }[];
}

export interface Readiness {
  ready: boolean;
  temporal?: boolean;
  workers?: number;
  simulated?: boolean;
  namespace?: string;
  ui_url?: string | null;
}

export interface JobPage {
  jobs: JobSummary[];
  next_cursor: string | null;
}

/** Opens a job's files for elements; null where the server asks for no keys. */
export interface MediaToken {
  token: string | null;
  expires_at: string | null;
}

let askForKey: () => Promise<void> = () => Promise.resolve();

/** Who asks the person for a key when the server wants one. */
export const onKeyNeeded = (ask: () => Promise<void>): void => {
  askForKey = ask;
};

export const needKey = (): Promise<void> => askForKey();

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  { key, limits = unlimited }: { key?: string; limits?: () => RequestInit } = {},
): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: 'application/json', ...authorization() };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (key !== undefined) headers['idempotency-key'] = key;
  const ask = async (limits: RequestInit): Promise<Answer<T>> => {
    const response = await fetch(under(path), {
      method,
      headers,
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...limits,
    });
    learnTime(response.headers.get('date'));
    return read<T>(response);
  };
  try {
    const answer = await (method === 'GET' ? inTurn('short', () => ask(inTime())) : ask(limits()));
    if (answer.ok || answer.status !== 401) return answer;
  } catch {
    return refusal(0, 'The server cannot be reached right now.');
  }
  await askForKey();
  return call(method, path, body, { ...(key === undefined ? {} : { key }), limits });
}

const unlimited = (): RequestInit => ({});

/** What waits for its turn behind a read must get it some day. */
const inTime = (): RequestInit => ({ signal: AbortSignal.timeout(15_000) });

async function read<T>(response: Response): Promise<Answer<T>> {
  const value = (await response.json().catch(() => null)) as unknown;
  if (response.ok) return { ok: true, status: response.status, value: value as T };
  const problem = (value ?? {}) as { title?: string; detail?: string; errors?: FieldProblem[] };
  const message =
    problem.detail ?? problem.title ?? `The server answered ${String(response.status)}.`;
  return refusal(response.status, message, problem.errors ?? []);
}

const refusal = (status: number, message: string, errors: FieldProblem[] = []): Refusal => ({
  ok: false,
  status,
  message,
  errors,
});

const jobPath = (jobId: string): string => `/v1/jobs/${encodeURIComponent(jobId)}`;
const clipPath = (jobId: string, clipIndex: number): string =>
  `${jobPath(jobId)}/clips/${String(clipIndex)}`;

export type JobAction = 'cancel' | 'pause' | 'resume' | 'retry';
export type ClipAction = 'cancel' | 'retry';

export const api = {
  estimate: (plan: unknown) => call<Estimate>('POST', '/v1/jobs/estimate', plan),
  /** The same key for the same plan: a repeated click or a lost answer never starts a second job. */
  start: (plan: unknown, key: string) => call<Job>('POST', '/v1/jobs', plan, { key }),
  /** A job of its own: the finals of these clips of a draft. */
  finals: (jobId: string, clips: readonly number[], key: string) =>
    call<Job>('POST', `${jobPath(jobId)}/final`, { clips }, { key }),
  job: (jobId: string) => call<Job>('GET', jobPath(jobId)),
  jobs: (query: Readonly<Record<string, string>>) =>
    call<JobPage>('GET', `/v1/jobs?${new URLSearchParams({ limit: '50', ...query }).toString()}`),
  actOnJob: (jobId: string, action: JobAction) =>
    call<unknown>('POST', `${jobPath(jobId)}/${action}`),
  setMaxCost: (jobId: string, usd: number) =>
    call<unknown>('POST', `${jobPath(jobId)}/max-cost`, { max_cost_usd: usd }),
  actOnClip: (jobId: string, clipIndex: number, action: ClipAction) =>
    call<unknown>('POST', `${clipPath(jobId, clipIndex)}/${action}`),
  token: (jobId: string) =>
    call<MediaToken>('POST', `${jobPath(jobId)}/token`, undefined, { limits: inTime }),
  models: () => call<{ models: ModelRow[] }>('GET', '/v1/models'),
  compareModels: (plan: unknown) =>
    call<{ models: Comparison[] }>('POST', '/v1/models/compare', plan, { limits: inTime }),
  eventsUrl: (jobId: string) => under(`${jobPath(jobId)}/events`),
};

/** 503 is an answer here: it says what is missing. Null when nobody answers. */
export async function readiness(): Promise<Readiness | null> {
  try {
    return await inTurn('short', async () => {
      const response = await fetch(under('/readyz'), { cache: 'no-store', ...inTime() });
      return (await response.json()) as Readiness;
    });
  } catch {
    return null;
  }
}

/** Works without a secure context, which `randomUUID` does not. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
