/**
 * Plays the users of a chaos run: submits a job through the API and steers it as the schedule says. Each request is
 * repeated until the API answers it, as a careful script would do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../src/adapters/network/deadline.js';
import type { Job, JobEvent } from '../src/domain/job/job.schema.js';
import { isOver } from '../src/domain/job/progress.js';
import { createClient } from '../src/client/create-client.js';
import type { AnsweredRequest, SteeringRequest } from './evidence.js';
import type { Action, ScheduledJob, Timed } from './schedule.js';

const EVERY = 300;
/** Of one request; shorter than a process is suspended. */
const DEADLINE = 10_000;

interface Answer {
  status: number;
  body: unknown;
  /** Requests that may have been received; those before the last may have been carried out too. */
  sent: number;
}

interface DriverOptions {
  /** Of the API; null where it has none. */
  key?: string | null;
  /** Ends the workflow of a job; false when it had ended already. */
  terminate?: (jobId: string) => Promise<boolean>;
}

export class Driver {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #key: string | null;
  readonly #terminate: (jobId: string) => Promise<boolean>;

  constructor(
    url: string,
    signal: AbortSignal,
    { key = null, terminate = () => Promise.resolve(false) }: DriverOptions = {},
  ) {
    this.#url = url;
    this.#signal = signal;
    this.#key = key;
    this.#terminate = terminate;
  }

  /** Asks until the API itself has answered; a 5xx is no answer. */
  async ask(method: 'GET' | 'POST', route: string, body?: unknown): Promise<Answer> {
    for (let sent = 1; ;) {
      this.#signal.throwIfAborted();
      const answer = await this.#try(method, route, body);
      if (typeof answer === 'object') return { ...answer, sent };
      if (answer === 'unanswered') sent += 1;
      await sleep(EVERY, undefined, { signal: this.#signal });
    }
  }

  async #try(
    method: string,
    route: string,
    body: unknown,
  ): Promise<Omit<Answer, 'sent'> | 'unanswered' | 'not received'> {
    using limit = deadline(DEADLINE, this.#signal);
    try {
      const response = await fetch(`${this.#url}${route}`, {
        method,
        signal: limit.signal,
        headers: {
          ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 500 || response.status === 429) return 'unanswered';
      return { status: response.status, body: JSON.parse(text) as unknown };
    } catch (error) {
      return isConnectionRefused(error) ? 'not received' : 'unanswered';
    }
  }

  /** Submits the job and carries out its actions; the answer to each request. */
  async play(job: ScheduledJob): Promise<AnsweredRequest[]> {
    const submitted = await this.ask('POST', '/v1/jobs', job.plan);
    if (submitted.status !== 200 && submitted.status !== 202) {
      throw new Error(
        `expected job ${job.job_id} to be accepted, got ${String(submitted.status)}: ${JSON.stringify(submitted.body)}`,
      );
    }
    const start = Date.now();
    const answers = await Promise.all(
      job.actions.map(async (action) => {
        await sleep(action.at * 1000 - (Date.now() - start), undefined, { signal: this.#signal });
        return this.#perform(job.job_id, action);
      }),
    );
    return answers.flat();
  }

  async #perform(jobId: string, { at: _, ...action }: Timed<Action>): Promise<AnsweredRequest[]> {
    if (action.kind === 'terminate') {
      return (await this.#terminate(jobId)) ? [await this.#request(jobId, { kind: 'retry' })] : [];
    }
    const answered = await this.#request(jobId, action);
    if (action.kind !== 'pause') return [answered];
    await sleep(action.seconds * 1000, undefined, { signal: this.#signal });
    return [answered, await this.#request(jobId, { kind: 'resume' })];
  }

  async #request(jobId: string, request: SteeringRequest): Promise<AnsweredRequest> {
    const { route, body } = requestOf(request);
    const asked_at = Date.now();
    const answer = await this.ask('POST', `/v1/jobs/${jobId}/${route}`, body);
    const { run_id = null } = answer.body as { run_id?: string };
    const { status, sent } = answer;
    return { request, sent, status, run_id, asked_at, answered_at: Date.now() };
  }

  /** The job once it has ended, as its workflow or its archive tells it. */
  async ended(jobId: string): Promise<Job> {
    for (;;) {
      const job = await this.job(jobId);
      if (job !== null && isOver(job.status)) return job;
      await sleep(EVERY, undefined, { signal: this.#signal });
    }
  }

  /** Every event of a job that has ended; as many as could be read when the stream breaks off. */
  async log(jobId: string): Promise<JobEvent[]> {
    const client = createClient({ baseUrl: this.#url, apiKey: this.#key });
    const log: JobEvent[] = [];
    try {
      for await (const event of client.events(jobId, { signal: this.#signal })) log.push(event);
    } catch {
      // The audit finds missing events.
    }
    return log;
  }

  async job(jobId: string): Promise<Job | null> {
    const { status, body } = await this.ask('GET', `/v1/jobs/${jobId}`);
    if (status !== 200) return null;
    const job = body as Job & { stale?: boolean };
    return job.stale === true ? null : job;
  }
}

/** The API was down, so the request cannot have been carried out. */
const isConnectionRefused = (error: unknown): boolean =>
  error instanceof Error &&
  (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';

function requestOf(request: SteeringRequest): { route: string; body?: unknown } {
  if (request.kind === 'cancel_clip')
    return { route: `clips/${String(request.clip_index)}/cancel` };
  if (request.kind !== 'raise_cap') return { route: request.kind };
  return { route: 'max-cost', body: { max_cost_usd: request.max_cost_usd } };
}
