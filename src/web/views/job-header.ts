/**
 * Above the clips: what the job is, how far, for how much, for how long. It shows; the controls
 * act.
 */
import { withoutTrailing } from '../../domain/values/trim-ends.js';
import { isOver } from '../../domain/job/progress.js';
import { clock, percent, plural, roughly, spent, usd } from '../../client/figures.js';
import { JOB_WORDS, batchText, capital, earlierText, failureWords } from '../../client/words.js';
import type { Job, Readiness } from '../../client/wire.js';
import { earlierWarnings } from '../../domain/job/waiting.js';
import { under } from '../base.js';
import { now } from '../clock.js';
import { attribute, figure, h, setText, show } from '../dom.js';
import { ago, safeLink } from '../format.js';
import { secondsLeft } from '../time-left.js';
import { filmStrip } from './film-strip.js';

interface JobHeader {
  element: HTMLElement;
  update(job: Job): void;
  /** Every second: what changes with time alone. */
  tick(job: Job, usualTime: number | null): void;
  showLink(job: Job, readiness: Readiness | null): void;
}

export function jobHeader(controls: HTMLElement): JobHeader {
  const title = h('h1', { class: 'job__name' });
  const chip = h('span', { class: 'chip chip--large' });
  const subtitle = h('p', { class: 'quiet job__subtitle' });
  const link = h('a', {
    class: 'link',
    text: 'This run in Temporal',
    hidden: true,
    rel: 'noopener',
  });
  const strip = filmStrip();
  const clips = figure('Clips ready');
  const money = figure('Cost');
  const time = figure('Time');
  const batch = figure('Progress');
  const problem = h('div', { class: 'notice notice--bad', hidden: true });
  const warnings = warningList();

  return {
    element: h(
      'header',
      { class: 'job__header' },
      h('a', { class: 'link job__back', href: under('/'), text: '← All jobs' }),
      h('div', { class: 'job__title' }, title, chip),
      h('div', { class: 'job__meta' }, subtitle, link),
      strip.element,
      h('dl', { class: 'figures' }, batch.element, clips.element, money.element, time.element),
      controls,
      problem,
      warnings.element,
    ),
    update(job) {
      setText(title, job.job_id);
      attribute(chip, 'data-status', job.status);
      setText(chip, capital(JOB_WORDS[job.status]));
      setText(
        subtitle,
        [job.model, qualityText(job), `started ${ago(job.created_at, now())}`]
          .filter((part) => part !== '')
          .join(' · '),
      );
      strip.update(job);
      batch.set(percent(job.percent), batchNote(job));
      clips.set(`${String(job.successful_clips)} of ${String(job.total_clips)}`, clipsNote(job));
      money.set(spent(job.total_cost_usd, job.unknown_costs), moneyNote(job));
      warnings.update(job);
      show(problem, job.error !== null && job.status === 'failed');
      if (job.error !== null) {
        problem.replaceChildren(
          h('p', { class: 'notice__title', text: capital(failureWords(job.error.kind)) }),
          h('p', { text: job.error.message }),
        );
      }
    },
    tick(job, usualTime) {
      const [value, note] = timeFigures(job, usualTime);
      time.set(value, note);
    },
    showLink(job, readiness) {
      const base = safeLink(readiness?.ui_url);
      show(link, base !== null);
      if (base !== null) attribute(link, 'href', workflowUrl(base, readiness?.namespace, job));
    },
  };
}

const qualityText = ({ quality, draft_of }: Job): string =>
  draft_of === undefined ? (quality === 'draft' ? 'draft' : '') : `finals of ${draft_of}`;

const workflowUrl = (base: string, namespace: string | undefined, job: Job): string =>
  [
    withoutTrailing(base, '/'),
    'namespaces',
    encodeURIComponent(namespace ?? 'default'),
    'workflows',
    encodeURIComponent(job.job_id),
    encodeURIComponent(job.run_id),
    'history',
  ].join('/');

const batchNote = (job: Job): string =>
  job.dispatch === 'batches' && isOver(job.status)
    ? plural(Math.ceil(job.total_clips / job.batch_size), 'batch', 'batches')
    : batchText(job);

function clipsNote(job: Job): string {
  const left = job.total_clips - job.successful_clips - job.failed_clips - job.canceled_clips;
  const missing = job.min_successful_clips - job.successful_clips;
  return [
    left > 0 ? `${String(left)} left` : '',
    job.failed_clips > 0 ? `${String(job.failed_clips)} failed` : '',
    job.canceled_clips > 0 ? `${String(job.canceled_clips)} canceled` : '',
    missing > 0
      ? `${String(missing)} more needed`
      : `the ${String(job.min_successful_clips)} needed are there`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

const moneyNote = (job: Job): string =>
  [
    job.max_cost_usd === null ? 'no cap' : `of ${usd(job.max_cost_usd)} cap`,
    `estimated ${usd(job.estimated_cost_usd)}`,
    job.unknown_costs > 0 ? `${plural(job.unknown_costs, 'cost')} unknown` : '',
    job.cost_increase_percent >= 1 ? `buffer +${percent(job.cost_increase_percent)}` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');

function timeFigures(job: Job, usualTime: number | null): [value: string, note: string] {
  if (job.started_at === null) return ['0:00', 'not started yet'];
  const end = job.completed_at === null ? now() : Date.parse(job.completed_at);
  const elapsed = clock((end - Date.parse(job.started_at)) / 1000);
  if (isOver(job.status)) return [elapsed, 'in all'];
  if (job.status === 'paused') return [elapsed, 'paused'];
  const left = secondsLeft(job, usualTime, now());
  return [elapsed, left === null ? '' : `${roughly(left)} left`];
}

function warningList(): { element: HTMLElement; update(job: Job): void } {
  const summary = h('summary', {});
  const list = h('ul', {});
  const element = h('details', { class: 'notice notice--warn', hidden: true }, summary, list);
  let shown: readonly string[] = [];
  return {
    element,
    update(job) {
      const { warnings, warnings_total } = job;
      show(element, warnings.length > 0);
      if (shown === warnings) return;
      shown = warnings;
      const earlier = earlierWarnings(warnings, warnings_total);
      setText(summary, plural(warnings.length + earlier, 'warning'));
      list.replaceChildren(
        ...(earlier === 0 ? [] : [h('li', { text: earlierText(job) })]),
        ...warnings.map((text) => h('li', { text })),
      );
    },
  };
}
