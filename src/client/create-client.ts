/**
 * The client of the HTTP API: one function a route, and the events of a job as an iteration. Plans and answers are the API's
 * own JSON; nothing is renamed. Every function rejects with an ApiError, or with the reason of its signal.
 */
import { unanswered } from './api-error.js';
import { followEvents, type Connection, type FollowItem } from './follow-events.js';
import { createTransport, type Answer, type ClientOptions, type Transport } from './transport.js';
import type {
  Comparison,
  Estimate,
  Job,
  JobEvent,
  JobPage,
  JobQuery,
  JobSnapshot,
  JobSummary,
  MediaToken,
  ModelRow,
  Plan,
  Readiness,
} from './wire.js';

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface StartOptions extends CallOptions {
  /** 1 to 255 printable ASCII characters. A second call with the same key and the same plan gets the same job. */
  idempotencyKey?: string;
}

export interface FinalOptions extends StartOptions {
  /** The clips of the draft, by clip_index; all that have succeeded when absent. */
  clips?: readonly number[];
  /** Of the new job; generated when absent. */
  job_id?: string;
  /** US dollars that the new job may spend; as the draft when absent. */
  max_cost_usd?: number;
}

export interface EventOptions {
  /** The seq of the last event that is known; 0, or absent: from the beginning. */
  after?: number;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal | undefined;
}

export interface FollowJobOptions {
  /** As in EventOptions; null: begin with a snapshot. */
  after: number | null;
  signal?: AbortSignal | undefined;
}

/** Each call may also reject with an ApiError whose `status` is 0: no answer came. */
export interface Client {
  readonly jobs: {
    /**
     * Starts a job. 400: the plan has mistakes, each in `problem.errors` with its path; 409: the job_id, or the key, belongs to
     * another plan. Repeat it with the same `idempotencyKey` after a lost answer: it starts nothing twice.
     */
    create(plan: Plan, options?: StartOptions): Promise<Job>;
    /** Starts a job that makes the finals of a draft: the same prompts and seeds, on the model of the draft. */
    final(draftId: string, options?: FinalOptions): Promise<Job>;
    /** Seconds and US dollars of a plan, clip by clip. Refuses what `create` refuses, and starts nothing. */
    estimate(plan: Plan, options?: CallOptions): Promise<Estimate>;
    /** The job as it is now, whole. 404: there is none of that id. */
    get(jobId: string, options?: CallOptions): Promise<JobSnapshot>;
    /** Every job that matches, page by page as they are read: running ones, the latest start first, then ended ones, the latest end first. The list may lag by seconds. */
    list(
      query?: Omit<JobQuery, 'cursor'>,
      options?: CallOptions,
    ): AsyncGenerator<JobSummary, void, void>;
    /** One page of that list. */
    page(query?: JobQuery, options?: CallOptions): Promise<JobPage>;
    /** Ends it, and its predictions at the provider. This and the following resolve when the API has taken it on (202). */
    cancel(jobId: string, options?: CallOptions): Promise<JobSnapshot>;
    /** Running clips finish; no more are started. */
    pause(jobId: string, options?: CallOptions): Promise<JobSnapshot>;
    resume(jobId: string, options?: CallOptions): Promise<JobSnapshot>;
    /** Failed and canceled clips once more; good ones are kept, and not paid for again. Also of a job that is over. */
    retry(jobId: string, options?: CallOptions): Promise<JobSnapshot>;
    /** What the job may spend in all, in US dollars. */
    setMaxCost(jobId: string, usd: number, options?: CallOptions): Promise<JobSnapshot>;
    /** Opens the job's files for some minutes to what cannot send a key, as `?token=`. Null where the API has no keys. */
    mediaToken(jobId: string, options?: CallOptions): Promise<MediaToken>;
  };
  readonly clips: {
    /** 409: its state forbids it. */
    cancel(jobId: string, clipIndex: number, options?: CallOptions): Promise<JobSnapshot>;
    /** A failed or canceled clip once more, while the job runs. 409: its state forbids it. */
    retry(jobId: string, clipIndex: number, options?: CallOptions): Promise<JobSnapshot>;
  };
  readonly models: {
    list(options?: CallOptions): Promise<ModelRow[]>;
    /** The same plan on every model of the catalogue. */
    compare(plan: Plan, options?: CallOptions): Promise<Comparison[]>;
  };
  /**
   * Every durable event after `after`, once and in order; waits for those that are still to come, and ends with the job. A lost
   * connection is made again: restarts of API, worker and Temporal skip and double nothing. Rejects when the API refuses
   * for good: 404, 401.
   */
  events(jobId: string, options?: EventOptions): AsyncGenerator<JobEvent, void, void>;
  /** The same with what is not durable: snapshots, the progress of clips, and the connection itself. */
  follow(jobId: string, options: FollowJobOptions): AsyncGenerator<FollowItem, void, void>;
  /** A file of a job, by the `video_url`, `thumbnail_url` or `composite_url` of a clip; its body is unread. */
  file(
    path: string,
    options?: CallOptions & { headers?: Readonly<Record<string, string>> },
  ): Promise<Response>;
  /** The same as an address. */
  urlOf(path: string): string;
  /** Is the stack ready to make clips? Without a key. Resolves also where it is not (503). */
  readiness(options?: CallOptions & { timeoutMs?: number }): Promise<Readiness>;
}

/** @example const client = createClient({ baseUrl: 'http://127.0.0.1:3000' }); */
export const createClient = (options: ClientOptions): Client =>
  clientOver(createTransport(options));

export const jobPath = (jobId: string): string => `/v1/jobs/${encodeURIComponent(jobId)}`;
const clipPath = (jobId: string, clipIndex: number): string =>
  `${jobPath(jobId)}/clips/${String(clipIndex)}`;

export function clientOver(transport: Transport): Client {
  const get = async <T>(path: string, { signal }: CallOptions = {}): Promise<T> =>
    (await transport.json<T>({ method: 'GET', path, signal })).value;
  const post = async <T>(path: string, body: unknown, { signal }: CallOptions = {}): Promise<T> =>
    (await transport.json<T>({ method: 'POST', path, body, signal })).value;
  const act =
    (action: string) =>
    (jobId: string, options?: CallOptions): Promise<JobSnapshot> =>
      post(`${jobPath(jobId)}/${action}`, undefined, options);
  const actOnClip =
    (action: string) =>
    (jobId: string, clipIndex: number, options?: CallOptions): Promise<JobSnapshot> =>
      post(`${clipPath(jobId, clipIndex)}/${action}`, undefined, options);
  const page: Client['jobs']['page'] = (query = {}, options) => {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) given.set(name, String(value));
    }
    return get(`/v1/jobs?${given.toString()}`, options);
  };
  const follow: Client['follow'] = (jobId, { after, signal = new AbortController().signal }) =>
    followEvents({
      after,
      signal,
      open: (position, signal) => openEvents(transport, jobId, position, { signal }),
    });

  return {
    jobs: {
      create: async (plan, options) => (await startJob(transport, '/v1/jobs', plan, options)).value,
      async final(draftId, { signal, idempotencyKey, ...wishes } = {}) {
        const options = { signal, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
        return (await startJob(transport, `${jobPath(draftId)}/final`, wishes, options)).value;
      },
      estimate: (plan, options) => post('/v1/jobs/estimate', plan, options),
      get: (jobId, options) => get(jobPath(jobId), options),
      page,
      async *list(query = {}, options) {
        for (let cursor: string | null | undefined; cursor !== null;) {
          const { jobs, next_cursor } = await page(
            { ...query, ...(cursor && { cursor }) },
            options,
          );
          yield* jobs;
          cursor = next_cursor;
        }
      },
      cancel: act('cancel'),
      pause: act('pause'),
      resume: act('resume'),
      retry: act('retry'),
      setMaxCost: (jobId, usd, options) =>
        post(`${jobPath(jobId)}/max-cost`, { max_cost_usd: usd }, options),
      mediaToken: (jobId, options) => post(`${jobPath(jobId)}/token`, undefined, options),
    },
    clips: { cancel: actOnClip('cancel'), retry: actOnClip('retry') },
    models: {
      list: async (options) => (await get<{ models: ModelRow[] }>('/v1/models', options)).models,
      compare: async (plan, options) =>
        (await post<{ models: Comparison[] }>('/v1/models/compare', plan, options)).models,
    },
    async *events(jobId, { after = 0, signal } = {}) {
      for await (const item of follow(jobId, { after, signal })) {
        if (item.kind === 'event') yield item.event;
      }
    },
    follow,
    file: (path, options) => transport.open({ method: 'GET', path, ...options }),
    urlOf: (path) => transport.urlOf(path).href,
    async readiness(options) {
      const call = { method: 'GET', path: '/readyz', isAnswer: isReadiness, ...options } as const;
      const { value } = await transport.json<Readiness | null>(call);
      if (value?.api !== PRODUCT) throw unanswered('another server answers there', value);
      return value;
    },
  };
}

const PRODUCT: Readiness['api'] = 'durable-clip-generator';
const isReadiness = (status: number): boolean => status === 503;

/** 202: it was started; 200: it had been started before. */
export const startJob = (
  transport: Transport,
  path: string,
  body: unknown,
  { signal, idempotencyKey }: StartOptions = {},
): Promise<Answer<Job>> =>
  transport.json({
    method: 'POST',
    path,
    body,
    signal,
    ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
  });

export async function openEvents(
  transport: Transport,
  jobId: string,
  position: number | null,
  { signal, query = position === 0 ? '?after=0' : '' }: { signal: AbortSignal; query?: string },
): Promise<Connection> {
  const response = await transport.open({
    method: 'GET',
    path: `${jobPath(jobId)}/events${query}`,
    signal,
    headers: {
      accept: 'text/event-stream',
      ...(position === null || position === 0 ? {} : { 'last-event-id': String(position) }),
    },
  });
  return { response };
}
