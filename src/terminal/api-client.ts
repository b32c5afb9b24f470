/**
 * The few calls the terminal makes to the HTTP API. Refusals come back as ApiProblem with every mistake the server
 * named; a server that cannot be reached throws what fetch threw. Knows no retries but one: a client that has asked too
 * often (429), of which nothing was done, asks again when the server says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { boundedJson, boundedText } from '../http/bounded-text.js';
import type { Job } from '../domain/job/job.schema.js';
import type { PlanProblem } from '../domain/plan/plan-problems.schema.js';

/** What /readyz says about a stack. */
export interface Readiness {
  ready: boolean;
  simulated: boolean;
  ui_url: string | null;
  namespace: string;
}

export const PRODUCT = 'durable-clip-generator';

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly errors: readonly PlanProblem[];
  /** Milliseconds; null: the server did not say when to ask again. */
  readonly retryAfter: number | null;
  constructor(
    status: number,
    message: string,
    more: { errors?: readonly PlanProblem[]; retryAfter?: number | null } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = more.errors ?? [];
    this.retryAfter = more.retryAfter ?? null;
  }
}

export interface ApiClient {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  create(plan: unknown): Promise<Job>;
  /** The finals of a draft, as a job of its own. */
  finals(draftId: string, wishes: object): Promise<Job>;
  job(jobId: string): Promise<Job>;
  cancel(jobId: string): Promise<void>;
  /** `path` as it stands in a job: /v1/jobs/…/video. */
  download(path: string, signal: AbortSignal): Promise<Response>;
}

/** Long enough for a server under load, short enough that nothing hangs for ever. */
const DEADLINE = 30_000;
/** Bytes of a refusal, and of what a stack says of itself. */
const MAX_WORDS = 2 ** 20;

/** Of one call, where the server says that this client asks too often. */
const MAX_ASKED = 3;
const USUAL_WAIT = 5_000;
const MAX_WAIT = 60_000;

export function createApiClient(url: string, key: string | null): ApiClient {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    for (let asked = 1; ; asked += 1) {
      try {
        return await once(path, init);
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status !== 429 || asked === MAX_ASKED)
          throw error;
        await sleep(
          error.retryAfter ?? USUAL_WAIT,
          undefined,
          init.signal ? { signal: init.signal } : {},
        );
      }
    }
  };
  const once = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(new URL(path, url), {
      signal: AbortSignal.timeout(DEADLINE),
      ...init,
      headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const start = async (path: string, body: unknown): Promise<Job> => {
    const response = await call(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await boundedJson(response)) as Job;
  };
  return {
    url,
    headers,
    create: (plan) => start('/v1/jobs', plan),
    finals: (draftId, wishes) => start(`${jobPath(draftId)}/final`, wishes),
    job: async (jobId) => (await boundedJson(await call(jobPath(jobId)))) as Job,
    async cancel(jobId) {
      await (await call(`${jobPath(jobId)}/cancel`, { method: 'POST' })).body?.cancel();
    },
    download: (path, signal) => call(path, { signal, headers: { 'accept-encoding': 'identity' } }),
  };
}

export const jobPath = (jobId: string): string => `/v1/jobs/${encodeURIComponent(jobId)}`;

/** RFC 9457 where the server speaks it, else its status line. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await boundedText(response, { most: MAX_WORDS }).catch(() => '');
  const body = parseObject(text);
  const message = [body['detail'], body['title']].find((part) => typeof part === 'string');
  return new ApiProblem(
    response.status,
    message ?? `HTTP ${String(response.status)} ${response.statusText}`.trim(),
    {
      errors: Array.isArray(body['errors']) ? body['errors'].filter(isPlanProblem) : [],
      retryAfter: waitOf(response.headers.get('retry-after')),
    },
  );
}

function waitOf(header: string | null): number | null {
  const seconds = Number(header ?? NaN);
  return seconds >= 0 ? Math.min(seconds * 1000, MAX_WAIT) : null;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const isPlanProblem = (value: unknown): value is PlanProblem =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as PlanProblem).path === 'string' &&
  typeof (value as PlanProblem).message === 'string';

/** Null when nothing of ours answers there. */
export async function readiness(url: string, deadline = 3_000): Promise<Readiness | null> {
  try {
    const response = await fetch(new URL('/readyz', url), {
      signal: AbortSignal.timeout(deadline),
      redirect: 'error',
    });
    const body = parseObject(await boundedText(response, { most: MAX_WORDS }));
    if (body['api'] !== PRODUCT) return null;
    return {
      ready: response.status === 200 && body['ready'] === true,
      simulated: body['simulated'] === true,
      ui_url: typeof body['ui_url'] === 'string' ? body['ui_url'] : null,
      namespace: typeof body['namespace'] === 'string' ? body['namespace'] : 'default',
    };
  } catch {
    return null;
  }
}
