/**
 * Every call this page makes to the API but videos. It answers with values, never throws: a refusal carries the problem in words,
 * an unreachable server is a refusal with status 0. When a key is needed it asks once, for all calls that wait, and repeats them.
 */
import { ApiError } from '../client/api-error.js';
import { clientOver, openEvents, startJob } from '../client/create-client.js';
import { createTransport } from '../client/transport.js';
import type { PlanProblem, JobQuery, Plan } from '../client/wire.js';
import { authorization } from './api-key.js';
import { under } from './base.js';
import { learnTime } from './clock.js';
import { inTurn } from './connections.js';

export interface Refusal {
  ok: false;
  /** 0 when the server could not be reached. */
  status: number;
  message: string;
  errors: readonly PlanProblem[];
}

export type Answer<T> = { ok: true; value: T } | Refusal;

let askForKey: () => Promise<void> = () => Promise.resolve();

/** Who asks the person for a key when the server wants one. */
export const onKeyNeeded = (ask: () => Promise<void>): void => {
  askForKey = ask;
};

export const needKey = (): Promise<void> => askForKey();

/** Milliseconds of one read, so that its turn passes on. */
const MAX_READ = 15_000;
const inTime = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(MAX_READ) });

/** With this tab's key. */
const ask: typeof fetch = async (url, init = {}) => {
  const headers = { ...(init.headers as Record<string, string>), ...authorization() };
  const response = await fetch(url, { ...init, headers, cache: 'no-store' });
  learnTime(response.headers.get('date'));
  return response;
};

/** A read takes its turn, and holds it until its whole answer is there. */
const askInTurn: typeof fetch = async (url, init = {}) => {
  const response =
    init.method === 'GET'
      ? await inTurn('short', async () => whole(await ask(url, { ...init, ...inTime() })))
      : await ask(url, init);
  if (response.status !== 401) return response;
  await askForKey();
  return askInTurn(url, init);
};

async function whole(response: Response): Promise<Response> {
  const { status, headers } = response;
  return new Response(status === 204 ? null : await response.text(), { status, headers });
}

const baseUrl = under('/');
/** A call has the time that its turn and the person's key take. */
const transport = createTransport({
  baseUrl,
  fetch: askInTurn,
  timeoutMs: 2 ** 31 - 1,
  attempts: 1,
});
const client = clientOver(transport);
const { jobs, clips, models } = client;
const streams = createTransport({ baseUrl, fetch: ask });

async function answered<T>(call: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    if (error instanceof ApiError && error.status > 0) {
      const { status, message, problem } = error;
      return { ok: false, status, message, errors: problem.errors };
    }
    const message = 'The server cannot be reached right now.';
    return { ok: false, status: 0, message, errors: [] };
  }
}

export type JobAction = 'cancel' | 'pause' | 'resume' | 'retry';
export type ClipAction = 'cancel' | 'retry';

/** Plans are as a person wrote them: whether they are any good is for the API to say. */
export const api = {
  estimate: (plan: unknown) => answered(jobs.estimate(plan as Plan)),
  /** The same key for the same plan: a repeated click or a lost answer never starts a second job. */
  start: (plan: unknown, idempotencyKey: string) =>
    answered(startJob(transport, '/v1/jobs', plan, { idempotencyKey })),
  /** A job of its own: the finals of these clips of a draft. */
  finals: (jobId: string, clips: readonly number[], idempotencyKey: string) =>
    answered(jobs.final(jobId, { clips, idempotencyKey })),
  job: (jobId: string) => answered(jobs.get(jobId)),
  jobs: (query: JobQuery) => answered(jobs.page({ limit: 50, ...query })),
  actOnJob: (jobId: string, action: JobAction) => answered(jobs[action](jobId)),
  setMaxCost: (jobId: string, usd: number) => answered(jobs.setMaxCost(jobId, usd)),
  actOnClip: (jobId: string, clipIndex: number, action: ClipAction) =>
    answered(clips[action](jobId, clipIndex)),
  token: (jobId: string) => answered(jobs.mediaToken(jobId, inTime())),
  models: () => answered(models.list()),
  compareModels: (plan: unknown) => answered(models.compare(plan as Plan, inTime())),
  events: (jobId: string, position: number | null, how: { signal: AbortSignal; query?: string }) =>
    openEvents(streams, jobId, position, how),
  /** Null when no API answers. */
  readiness: () => client.readiness().catch(() => null),
};

/** Works without a secure context, which `randomUUID` does not. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
