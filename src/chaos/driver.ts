/**
 * Plays the people of a chaos run: submits a job through the API and does to it what the schedule says. Whatever
 * is asked is asked again until somebody answers, as a script that is meant to work would do it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline } from '../adapters/deadline.js';
import type { Job, JobEvent } from '../domain/job.js';
import { isOver } from '../domain/progress.js';
import { followEvents } from '../terminal/event-stream.js';
import type { Act, ScheduledJob, Timed } from './schedule.js';

const EVERY = 300;
/** One request; shorter than what a suspended process is suspended for. */
const DEADLINE = 10_000;

export interface Answer {
  status: number;
  body: unknown;
}

export class Driver {
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Asks until the API itself has answered; a 5xx is no answer. */
  async ask(method: 'GET' | 'POST', route: string, body?: unknown): Promise<Answer> {
    for (;;) {
      this.#signal.throwIfAborted();
      const answer = await this.#try(method, route, body);
      if (answer !== null) return answer;
      await sleep(EVERY, undefined, { signal: this.#signal });
    }
  }

  async #try(method: string, route: string, body: unknown): Promise<Answer | null> {
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
      if (response.status >= 500 || response.status === 429) return null;
      return { status: response.status, body: JSON.parse(text) as unknown };
    } catch {
      return null;
    }
  }

  /** Submits the job and does everything that is to be done to it. */
  async play(job: ScheduledJob): Promise<void> {
    const submitted = await this.ask('POST', '/v1/jobs', job.plan);
    if (submitted.status !== 200 && submitted.status !== 202) {
      throw new Error(
        `expected job ${job.job_id} to be accepted, got ${String(submitted.status)}: ${JSON.stringify(submitted.body)}`,
      );
    }
    const start = Date.now();
    await Promise.all(
      job.acts.map(async (act) => {
        await sleep(act.at * 1000 - (Date.now() - start), undefined, { signal: this.#signal });
        await this.#act(job.job_id, act);
      }),
    );
  }

  async #act(jobId: string, act: Timed<Act>): Promise<void> {
    const route = `/v1/jobs/${jobId}`;
    switch (act.kind) {
      case 'cancel':
        await this.ask('POST', `${route}/cancel`);
        return;
      case 'cancel_clip':
        await this.ask('POST', `${route}/clips/${String(act.clip_index)}/cancel`);
        return;
      case 'pause':
        await this.ask('POST', `${route}/pause`);
        await sleep(act.seconds * 1000, undefined, { signal: this.#signal });
        await this.ask('POST', `${route}/resume`);
        return;
      case 'retry':
        await this.ask('POST', `${route}/retry`);
        return;
      case 'raise_cap':
        await this.ask('POST', `${route}/max-cost`, { max_cost_usd: act.max_cost_usd });
    }
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
    const url = `${this.#url}/v1/jobs/${jobId}/events`;
    const log: JobEvent[] = [];
    try {
      for await (const item of followEvents({ url, after: 0, signal: this.#signal })) {
        if (item.kind === 'event') log.push(item.event);
      }
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
