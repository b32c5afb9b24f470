/**
 * The jobs there are, newest first, with their state and a search. Looks again by itself while the
 * tab is visible; the list may lag by seconds behind a job's own page.
 */
import { api } from '../api-client.js';
import { under } from '../base.js';
import { now } from '../clock.js';
import { attribute, h, keyed, setText, show } from '../dom.js';
import { ago, plural, spent } from '../format.js';
import type { Job, JobStatus } from '../../domain/job.js';
import { JOB_WORDS } from '../words.js';
import type { View } from './plan-form.js';

const REFRESH = 4000;

export function jobList(): View {
  const search = h('input', {
    id: 'job-search',
    class: 'input',
    type: 'search',
    placeholder: 'Name or model',
    autocomplete: 'off',
  });
  const state = h(
    'select',
    { id: 'job-state', class: 'input' },
    h('option', { value: '', text: 'Any state' }),
    ...(Object.keys(JOB_WORDS) as JobStatus[]).map((value) =>
      h('option', { value, text: JOB_WORDS[value] }),
    ),
  );
  const list = h('ul', { class: 'jobs__list' });
  const message = h('p', {
    class: 'quiet jobs__message',
    role: 'status',
    text: 'Looking for jobs…',
  });
  const more = h('button', { class: 'button', type: 'button', text: 'Show more', hidden: true });
  const draw = keyed<Job>(list, (job) => job.job_id, jobRow);
  let jobs: Job[] = [];
  let cursor: string | null = null;
  let pages = 1;
  let round = 0;

  const redraw = (): void => {
    const words = search.value.toLowerCase().split(/\s+/);
    const found = jobs.filter((job) =>
      words.every((word) => `${job.job_id} ${job.model}`.toLowerCase().includes(word)),
    );
    draw(found);
    show(more, cursor !== null);
    show(message, found.length === 0);
    setText(
      message,
      jobs.length === 0 ? 'No job yet. The first one starts on this page.' : 'No job matches.',
    );
  };

  const load = async (): Promise<void> => {
    const mine = (round += 1);
    const loaded: Job[] = [];
    let next: string | null = null;
    for (let page = 0; page < pages; page += 1) {
      const answer = await api.jobs({
        ...(state.value === '' ? {} : { status: state.value }),
        ...(next === null ? {} : { cursor: next }),
      });
      if (mine !== round) return;
      if (!answer.ok) {
        if (jobs.length === 0) setText(message, answer.message);
        return;
      }
      loaded.push(...answer.value.jobs);
      next = answer.value.next_cursor;
      if (next === null) break;
    }
    [jobs, cursor] = [loaded, next];
    redraw();
  };

  search.addEventListener('input', redraw);
  state.addEventListener('change', () => void load());
  more.addEventListener('click', () => {
    pages += 1;
    void load();
  });
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The next look begins when the last has its answer, however long that took. */
  const refresh = async (): Promise<void> => {
    if (document.visibilityState === 'visible') await load();
    if (!isClosed) timer = setTimeout(() => void refresh(), REFRESH);
  };
  void refresh();

  const element = h(
    'section',
    { class: 'panel jobs', 'aria-labelledby': 'jobs-title' },
    h('h2', { id: 'jobs-title', text: 'Jobs' }),
    h(
      'div',
      { class: 'jobs__filters' },
      h('div', {}, h('label', { class: 'label', for: 'job-search', text: 'Search' }), search),
      h('div', {}, h('label', { class: 'label', for: 'job-state', text: 'State' }), state),
    ),
    list,
    message,
    more,
  );
  return {
    element,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

function jobRow(job: Job): { element: HTMLElement; update(job: Job): void } {
  const chip = h('span', { class: 'chip' });
  const facts = h('span', { class: 'quiet' });
  const bar = h('span', { class: 'bar' }, h('span', { class: 'bar__fill' }));
  const element = h(
    'li',
    {},
    h(
      'a',
      { class: 'job-row', href: under(`/jobs/${encodeURIComponent(job.job_id)}`) },
      h(
        'span',
        { class: 'job-row__top' },
        h('strong', { class: 'job-row__name', text: job.job_id }),
        chip,
      ),
      bar,
      facts,
    ),
  );
  return {
    element,
    update(next) {
      attribute(chip, 'data-status', next.status);
      setText(chip, JOB_WORDS[next.status]);
      bar.style.setProperty('--percent', String(next.percent));
      attribute(bar, 'data-status', next.status);
      const counts = `${String(next.successful_clips)} of ${plural(next.total_clips, 'clip')}`;
      setText(
        facts,
        [counts, spent(next.total_cost_usd, next.unknown_costs), ago(next.created_at, now())].join(
          ' · ',
        ),
      );
    },
  };
}
