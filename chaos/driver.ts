/**
 * Plays the people of a chaos run: submits a job through the API and does to it what the schedule says. Whatever
 * is asked is asked again until somebody answers, as a script that is meant to work would do it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../src/adapters/network/deadline.js';
import type { Job, JobEvent } from '../src/domain/job/job.schema.js';
import { isOver } from '../src/domain/job/progress.js';
import { createClient } from '../src/client/create-client.js';
import type { Answered, Word } from './answers.js';
import type { Act, ScheduledJob, Timed } from './schedule.js';

const EVERY = 300;
/** One request; shorter than what a suspended process is suspended for. */
const DEADLINE = 10_000;

export interface Answer {
  status: number;
  body: unknown;
  /** Requests that may have been heard; those before the last may have been carried out too. */
  sent: number;
}

export class Driver {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #terminate: (jobId: string) => Promise<boolean>;

  /** `terminate` ends the workflow of a job; false when it was over. */
  constructor(
    url: string,
    signal: AbortSignal,
    terminate: (jobId: string) => Promise<boolean> = () => Promise.resolve(false),
  ) {
    this.#url = url;
    this.#signal = signal;
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
  ): Promise<Omit<Answer, 'sent'> | 'unanswered' | 'unheard'> {
    using limit = deadline(DEADLINE, this.#signal);
    try {
      const response = await fetch(`${this.#url}${route}`, {
        method,
        signal: limit.signal,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 500 || response.status === 429) return 'unanswered';
      return { status: response.status, body: JSON.parse(text) as unknown };
    } catch (error) {
      return wasRefused(error) ? 'unheard' : 'unanswered';
    }
  }

  /** Submits the job and does everything that is to be done to it; what was answered to each word. */
  async play(job: ScheduledJob): Promise<Answered[]> {
    const submitted = await this.ask('POST', '/v1/jobs', job.plan);
    if (submitted.status !== 200 && submitted.status !== 202) {
      throw new Error(
        `expected job ${job.job_id} to be accepted, got ${String(submitted.status)}: ${JSON.stringify(submitted.body)}`,
      );
    }
    const start = Date.now();
    const answers = await Promise.all(
      job.acts.map(async (act) => {
        await sleep(act.at * 1000 - (Date.now() - start), undefined, { signal: this.#signal });
        return this.#act(job.job_id, act);
      }),
    );
    return answers.flat();
  }

  async #act(jobId: string, { at: _, ...act }: Timed<Act>): Promise<Answered[]> {
    if (act.kind === 'terminate') {
      return (await this.#terminate(jobId)) ? [await this.#say(jobId, { kind: 'retry' })] : [];
    }
    const answered = await this.#say(jobId, act);
    if (act.kind !== 'pause') return [answered];
    await sleep(act.seconds * 1000, undefined, { signal: this.#signal });
    return [answered, await this.#say(jobId, { kind: 'resume' })];
  }

  async #say(jobId: string, word: Word): Promise<Answered> {
    const { route, body } = requestOf(word);
    const asked_at = Date.now();
    const answer = await this.ask('POST', `/v1/jobs/${jobId}/${route}`, body);
    const { run_id = null } = answer.body as { run_id?: string };
    const { status, sent } = answer;
    return { word, sent, status, run_id, asked_at, answered_at: Date.now() };
  }

  /** The job once it is over and said so by the workflow itself or its archive. */
  async ending(jobId: string): Promise<Job> {
    for (;;) {
      const job = await this.job(jobId);
      if (job !== null && isOver(job.status)) return job;
      await sleep(EVERY, undefined, { signal: this.#signal });
    }
  }

  /** Every event of a job that is over; those that could be had, when it cannot be read to its end. */
  async log(jobId: string): Promise<JobEvent[]> {
    const client = createClient({ baseUrl: this.#url });
    const log: JobEvent[] = [];
    try {
      for await (const event of client.events(jobId, { signal: this.#signal })) log.push(event);
    } catch {
      // The audit finds what is missing.
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

/** Nobody was listening. */
const wasRefused = (error: unknown): boolean =>
  error instanceof Error &&
  (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';

function requestOf(word: Word): { route: string; body?: unknown } {
  if (word.kind === 'cancel_clip') return { route: `clips/${String(word.clip_index)}/cancel` };
  if (word.kind !== 'raise_cap') return { route: word.kind };
  return { route: 'max-cost', body: { max_cost_usd: word.max_cost_usd } };
}
