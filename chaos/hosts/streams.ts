/** Viewers of a chaos run over hosts: each reads the stream of a job at another API than the one it was posted at. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../src/client/api-error.js';
import { createClient } from '../../src/client/create-client.js';
import type { JobEvent } from '../../src/domain/job/job.schema.js';
import { finding } from '../evidence.js';
import type { Finding, JobEvidence } from '../evidence.js';

const EVERY = 300;

export interface Stream {
  events: JobEvent[];
  /** Why it was refused for good; null when it ended with the job. */
  refused: string | null;
}

/** Reads from the first event to the end of the job; the client connects again by itself. */
export async function follow(
  api: { api_url: string; api_key: string },
  jobId: string,
  signal: AbortSignal,
): Promise<Stream> {
  const client = createClient({ baseUrl: api.api_url, apiKey: api.api_key });
  const events: JobEvent[] = [];
  for (;;) {
    try {
      for await (const event of client.events(jobId, { signal })) events.push(event);
      return { events, refused: signal.aborted ? 'it did not end in time' : null };
    } catch (error) {
      // It has not been posted yet.
      const isEarly = error instanceof ApiError && error.status === 404 && events.length === 0;
      if (!isEarly) return { events, refused: String(error) };
    }
    await sleep(EVERY, undefined, { signal });
  }
}

/** Every event once and in order, as the job's log has it to the end. Pure. */
export function streamFindings(
  { scheduled, log }: Pick<JobEvidence, 'scheduled' | 'log'>,
  { events, refused }: Stream,
): Finding[] {
  const { job_id, actions } = scheduled;
  const where = `the stream of ${job_id} at the other API`;
  if (refused !== null) return [finding('disagreement', `${where} was refused: ${refused}`)];
  const wrong = events.findIndex((event, at) => JSON.stringify(event) !== JSON.stringify(log[at]));
  if (wrong >= 0) {
    return [
      finding(
        'disagreement',
        `${where} has at place ${String(wrong + 1)}: ${JSON.stringify(events[wrong])}, the log: ${JSON.stringify(log[wrong])}`,
      ),
    ];
  }
  // A job that is retried after its end has more to tell than the stream that ended with it.
  const goesOn = actions.some(({ kind }) => kind === 'retry' || kind === 'terminate');
  if (events.length === log.length || (goesOn && events.length > 0)) return [];
  return [
    finding(
      'disagreement',
      `${where} ended after ${String(events.length)} events of ${String(log.length)}`,
    ),
  ];
}
