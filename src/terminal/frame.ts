/**
 * One picture of a job: view, size and time in, lines out. At most as many lines as the terminal has rows, each at
 * most as wide; where there are more clips than rows, those under way are shown and the rest is counted. Pure.
 */
import { plural, spent, time, usd } from '../client/figures.js';
import {
  CLIP_WORDS,
  JOB_WORDS,
  batchText,
  earlierText,
  phaseText,
  waitText,
} from '../client/words.js';
import type { Clip, ClipProgress, ClipStatus, Job, JobStatus } from '../client/wire.js';
import { isClipOver, unknownCosts } from '../domain/job/progress.js';
import { bar, oneLine, pad, padLeft } from './format.js';
import { attemptText, countdown, durations, problemText } from './sentences.js';
import { fit, span } from './span.js';
import type { Line, Span, Style } from './span.js';
import type { View } from './view.js';

const JOB_STYLES: Record<JobStatus, Style> = {
  queued: 'dim',
  running: 'cyan',
  paused: 'yellow',
  succeeded: 'green',
  failed: 'red',
  canceled: 'yellow',
};

const CLIP_STYLES: Record<ClipStatus, Style> = {
  queued: 'dim',
  running: 'cyan',
  retrying: 'yellow',
  storing: 'cyan',
  succeeded: 'green',
  failed: 'red',
  canceled: 'yellow',
};

export interface Size {
  columns: number;
  rows: number;
}

export const SIMULATOR_NOTICE = 'SIMULATOR: no model is called and nothing is paid';

export function frame(view: View, size: Size, now: number): Line[] {
  const head = header(view, now);
  const foot = footer(view);
  // One row stays free for the cursor.
  const room = Math.max(0, size.rows - 1 - head.length - foot.length);
  const lines = [...head, ...clipLines(view, room, size.columns, now), ...foot];
  return lines.slice(0, Math.max(1, size.rows - 1)).map((line) => fit(line, size.columns));
}

function header({ job, place }: View, now: number): Line[] {
  const lines: Line[] = [
    [
      span(job.job_id, 'bold'),
      span(`  ${oneLine(job.model)}  `),
      span(JOB_WORDS[job.status], JOB_STYLES[job.status]),
      ...(job.simulated ? [span(`  ${SIMULATOR_NOTICE}`, 'yellow')] : []),
    ],
    [span('Page      ', 'dim'), span(place.page_url)],
    ...(place.ui_url === null ? [] : [[span('Temporal  ', 'dim'), span(place.ui_url)]]),
    totals(job, now),
    [],
  ];
  return lines;
}

function totals(job: Job, now: number): Line {
  const parts = [
    batchText(job),
    `${String(job.successful_clips)} of ${String(job.total_clips)} done`,
    job.failed_clips > 0 ? `${String(job.failed_clips)} failed` : '',
    job.canceled_clips > 0 ? `${String(job.canceled_clips)} canceled` : '',
    `needs ${String(job.min_successful_clips)}`,
    `${spent(job.total_cost_usd, job.unknown_costs)} of about ${usd(job.estimated_cost_usd)}` +
      (job.max_cost_usd === null ? '' : ` (cap ${usd(job.max_cost_usd)})`),
    elapsed(job, now),
  ];
  return [span(parts.filter((part) => part !== '').join(' · '))];
}

function elapsed(job: Job, now: number): string {
  if (job.started_at === null) return '';
  const end = job.completed_at === null ? now : Date.parse(job.completed_at);
  return time((end - Date.parse(job.started_at)) / 1000);
}

const URGENCY: Record<ClipStatus, number> = {
  retrying: 0,
  running: 1,
  storing: 2,
  failed: 3,
  queued: 4,
  canceled: 5,
  succeeded: 6,
};

function clipLines(view: View, room: number, columns: number, now: number): Line[] {
  const { clips } = view.job;
  const draw = (clip: Clip): Line =>
    clipLine(clip, { live: view.live.get(clip.clip_index), columns, now, indexWidth });
  const indexWidth = Math.max(2, ...clips.map((clip) => String(clip.clip_index).length));
  if (clips.length <= room) return clips.map(draw);
  const shown = new Set(
    [...clips]
      .sort((a, b) => URGENCY[a.status] - URGENCY[b.status] || a.clip_index - b.clip_index)
      .slice(0, Math.max(0, room - 1)),
  );
  const hidden = clips.filter((clip) => !shown.has(clip));
  return [...clips.filter((clip) => shown.has(clip)).map(draw), hiddenLine(hidden)];
}

function hiddenLine(hidden: readonly Clip[]): Line {
  const counts = Object.entries(CLIP_WORDS)
    .map(([status, word]) => ({
      word,
      count: hidden.filter((clip) => clip.status === status).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ word, count }) => `${String(count)} ${word}`);
  return [span(`   and ${plural(hidden.length, 'more clip')}: ${counts.join(', ')}`, 'dim')];
}

interface Drawing {
  live: ClipProgress | undefined;
  columns: number;
  now: number;
  indexWidth: number;
}

/** Of the usual words; a longer one moves what follows it. */
const PHASE_WIDTH = 17;

function clipLine(clip: Clip, { live, columns, now, indexWidth }: Drawing): Line {
  const style = CLIP_STYLES[clip.status];
  const barWidth = Math.max(6, Math.min(24, Math.floor(columns / 5)));
  const before: Span[] = [
    span(` ${padLeft(String(clip.clip_index), indexWidth)} `),
    span(bar(shownPercent(clip, live), barWidth), style),
    span(` ${pad(`${columnText(clip, live)} `, PHASE_WIDTH)}`, style),
  ];
  return [...before, span(details(clip, live, now).join(' · '))];
}

/** Why a queued clip waits stands in its details. */
const columnText = (clip: Clip, live: ClipProgress | undefined): string =>
  waitText(clip, live) === null ? phaseText(clip, live) : CLIP_WORDS.queued;

/** The durable percentage is coarse; while a clip renders, the provider's own figure moves within it. */
export function shownPercent(clip: Clip, live: ClipProgress | undefined): number {
  if (clip.status !== 'running' || live?.phase !== 'rendering' || live.percent === null) {
    return clip.percent;
  }
  return Math.max(clip.percent, 10 + live.percent * 0.8);
}

/** The most telling first, because the end of a narrow line is cut off. */
function details(clip: Clip, live: ClipProgress | undefined, now: number): string[] {
  if (clip.status === 'queued') return ofQueued(clip, live, now);
  const wait = isClipOver(clip.status) ? null : countdown(clip, live, now);
  const error = clip.error === null ? (live?.last_error ?? null) : problemText(clip.error);
  const rendering = clip.status === 'running' && live?.phase === 'rendering';
  return [
    rendering && live.percent !== null
      ? `${live.estimated ? '~' : ''}${String(Math.round(live.percent))} %`
      : '',
    wait === null ? '' : wait < 0.5 ? 'resumes now' : `resumes in ${time(wait)}`,
    tellsAttempt(clip) ? attemptText(clip) : '',
    durations(clip),
    cost(clip),
    clip.status === 'succeeded' || error === null ? '' : oneLine(error),
    live?.message === undefined ? '' : oneLine(live.message),
  ].filter((part) => part !== '');
}

function ofQueued(clip: Clip, live: ClipProgress | undefined, now: number): string[] {
  const wait = countdown(clip, live, now);
  return [
    waitText(clip, live) ?? '',
    wait === null ? '' : `resumes in ${time(wait)}`,
    durations(clip),
    `about ${usd(clip.estimated_cost_usd)}`,
  ].filter((part) => part !== '');
}

/** A first attempt that went well, or none at all, needs no telling. */
const tellsAttempt = ({ status, attempt, retry_count }: Clip): boolean =>
  isClipOver(status) ? attempt > 0 && (status !== 'succeeded' || retry_count > 0) : true;

/** A clip that was never billed is over without a cost. */
function cost(clip: Clip): string {
  const unknown = unknownCosts(clip);
  if (clip.cost_usd !== null) return spent(clip.cost_usd, unknown);
  if (unknown > 0) return 'cost unknown';
  return isClipOver(clip.status) ? '' : `about ${usd(clip.estimated_cost_usd)}`;
}

function footer(view: View): Line[] {
  const lines: Line[] = [];
  const stale = [...view.live.values()].some(({ stale: isStale }) => isStale === true);
  if (view.lost !== null) {
    lines.push([
      span(
        `Connection lost (${oneLine(view.lost)}); trying again. The job continues without it.`,
        'yellow',
      ),
    ]);
  } else if (stale) {
    lines.push([
      span('No worker is running; the job is safe and continues when one starts.', 'yellow'),
    ]);
  }
  const warning = view.job.warnings.at(-1);
  if (warning !== undefined) {
    const earlier = earlierText(view.job);
    const text = `Warning: ${oneLine(warning)}${earlier === '' ? '' : ` (${earlier})`}`;
    lines.push([span(text, 'yellow')]);
  }
  if (view.notice !== null) lines.push([span(view.notice, 'bold')]);
  return lines.length === 0 ? [] : [[], ...lines];
}
