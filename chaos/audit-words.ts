/**
 * The part of the audit about what people said: an accepted word is never lost, and nothing is done in the name of
 * somebody who said nothing. Pure.
 *
 * W1 An accepted signal is an event. Temporal has written it down before it is accepted, and closes no workflow that
 *    has not taken it: so it changed the job, or the job's log says that it came too late.
 * W2 What a job says of itself after the answer, it says knowing of the word: the word was in its history by then. All
 *    processes of a run share one machine's clock.
 */
import type { JobEvent } from '../src/domain/job/job.schema.js';
import { isAccepted, mostHeard } from './answers.js';
import type { Answered } from './answers.js';
import { expectThat, find } from './evidence.js';
import type { Finding, Over } from './evidence.js';
import { beginsRound, clipEventsOf } from './rounds.js';
import type { ClipEvent } from './rounds.js';

export const wordFindings = (ended: Over): Finding[] => [
  ...ended.answers.filter(isAccepted).flatMap((said) => unheard(ended, said)),
  ...unsaid(ended),
  ...startedInPause(ended),
];

function unheard(ended: Over, said: Answered): Finding[] {
  const { word, sent, status } = said;
  return expectThat(
    isHeard(ended, said),
    word.kind === 'cancel' || word.kind === 'cancel_clip' ? 'wrong_end' : 'lost',
    () =>
      `${ended.job.job_id} was told ${JSON.stringify(word)} (${String(status)} to request ${String(sent)}), and it shows nowhere`,
  );
}

function isHeard(ended: Over, said: Answered): boolean {
  const { word } = said;
  switch (word.kind) {
    case 'cancel':
      return isJobCanceled(ended, said);
    case 'cancel_clip':
      return isClipCanceled(ended, said, word.clip_index);
    case 'pause':
      return ended.log.some((event) => event.type === 'job.paused' || isRefusal(event, 'pause'));
    case 'resume':
      return ended.log.some((event) => event.type === 'job.resumed' || isRefusal(event, 'resume'));
    case 'retry':
      return ended.log.some((event) => beginsRound(event) || isRefusal(event, 'retryClip'));
    case 'raise_cap':
      return ended.log.some(
        (event) => event.type === 'job.warning' && event.max_cost_usd === word.max_cost_usd,
      );
  }
}

/** W1: what the workflow says of a signal that makes no sense any more. */
const isRefusal = (event: JobEvent, signal: string, expected = ''): boolean =>
  event.type === 'job.warning' &&
  event.message.startsWith(`signal ${signal}: expected ${expected}`);

/** The run that was spoken to was canceled, or there was nothing left to cancel in it. */
function isJobCanceled(ended: Over, said: Answered): boolean {
  const { log, answers } = ended;
  const runs = runsOf(log);
  const begun = runs.findIndex(([first]) => first.run_id === said.run_id);
  // A job that went on in a further run of its own says so nowhere in its log.
  const last =
    begun >= 0 ? begun : runs.findLastIndex(([first]) => Date.parse(first.at) <= said.answered_at);
  // Of two runs that a retry under way made one after the other, nobody can tell which heard it.
  const isBetween = answers.some(
    ({ word, asked_at, answered_at }) =>
      word.kind === 'retry' && asked_at <= said.answered_at && answered_at >= said.asked_at,
  );
  const first = isBetween ? Math.max(0, last - 1) : last;
  return last >= 0 && runs.slice(first, last + 1).some((run) => isCanceledOrOver(ended, said, run));
}

function isCanceledOrOver(ended: Over, said: Answered, run: readonly JobEvent[]): boolean {
  const clips = clipEventsOf(run);
  if (run.some(({ type }) => type === 'job.canceled')) {
    return clips.every((event) => !isStoredInSpite(event, said, run));
  }
  // The archive was being written. A clip canceled by a word of its own may have been the last thing to do.
  return clips.every(
    ({ at, clip_index }) => Date.parse(at) <= said.answered_at || hasOwnCancel(ended, clip_index),
  );
}

const hasOwnCancel = (ended: Over, clipIndex: number): boolean =>
  mostHeard(ended, (word) => word.kind === 'cancel_clip' && word.clip_index === clipIndex) > 0;

function isClipCanceled({ log }: Over, said: Answered, clipIndex: number): boolean {
  const isItsEnd = (event: ClipEvent): boolean =>
    (event.type === 'clip.canceled' && event.clip.error?.kind === 'canceled') ||
    (event.type === 'clip.completed' && !isStoredInSpite(event, said, log));
  return (
    log.some((event) => isRefusal(event, 'cancelClip', `clip ${String(clipIndex)} `)) ||
    clipEventsOf(log).some((event) => event.clip_index === clipIndex && isItsEnd(event))
  );
}

/** A render that was being stored while the word was on its way is kept; W2: later, nothing is stored any more. */
function isStoredInSpite(event: ClipEvent, said: Answered, log: readonly JobEvent[]): boolean {
  if (event.type !== 'clip.completed') return false;
  const storing = log.findLast(
    (other) => other.type === 'clip.storing' && other.clip_index === event.clip_index,
  );
  return storing !== undefined && Date.parse(storing.at) > said.answered_at;
}

type Begun = Extract<JobEvent, { type: 'job.started' }>;

/** The events of each run, the first of which begins it. */
function runsOf(log: readonly JobEvent[]): [Begun, ...JobEvent[]][] {
  const runs: [Begun, ...JobEvent[]][] = [];
  for (const event of log) {
    if (event.type === 'job.started') runs.push([event]);
    else runs.at(-1)?.push(event);
  }
  return runs;
}

/** Each request pauses, or resumes, at most once. */
function unsaid(ended: Over): Finding[] {
  const kinds = [
    ['pause', 'job.paused'],
    ['resume', 'job.resumed'],
  ] as const;
  return kinds.flatMap(([kind, type]) => {
    const told = ended.log.filter((event) => event.type === type).length;
    const asked = mostHeard(ended, (word) => word.kind === kind);
    return expectThat(
      told <= asked,
      'disagreement',
      () =>
        `${ended.job.job_id} says ${type} ${String(told)} times, it was asked for ${String(asked)} times`,
    );
  });
}

/** Every run begins unpaused. */
function startedInPause({ job, log }: Over): Finding[] {
  let isPaused = false;
  return log.flatMap((event) => {
    if (event.type === 'job.paused') isPaused = true;
    if (event.type === 'job.resumed' || event.type === 'job.started') isPaused = false;
    if (event.type !== 'clip.started' || !isPaused) return [];
    const says = `${job.job_id} clip ${String(event.clip_index)} was started in a pause`;
    return find('wrong_end', says);
  });
}
