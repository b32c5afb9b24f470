/**
 * The list of jobs: running ones, then ended ones, latest first. The server filters by words, state, label and model; the
 * filters are in the address. The list is loaded again while the tab is visible; it may lag by seconds behind a job's own page.
 */
import { plural, spent } from '../../client/figures.js';
import { JOB_WORDS, capital } from '../../client/words.js';
import type { JobStatus, JobSummary } from '../../client/wire.js';
import { api } from '../api-client.js';
import { under } from '../base.js';
import { now } from '../clock.js';
import { attribute, h, keyed, setText, show } from '../dom.js';
import { ago } from '../format.js';
import type { View } from './plan-form.js';

const REFRESH = 4000;
/** Milliseconds without a key pressed, until the words are searched for. */
const PAUSE = 250;
const FILTERS = ['q', 'status', 'label', 'model'] as const;

export function jobList(): View {
  const asked = new URLSearchParams(location.search);
  const filters = new Map(FILTERS.map((name) => [name, asked.get(name) ?? '']));
  const search = h('input', {
    id: 'job-search',
    class: 'input',
    type: 'search',
    placeholder: 'Name, model, label or prompt',
    maxlength: 200,
    autocomplete: 'off',
  });
  search.value = filters.get('q') ?? '';
  const state = h(
    'select',
    { id: 'job-state', class: 'input' },
    h('option', { value: '', text: 'Any state' }),
    ...(Object.keys(JOB_WORDS) as JobStatus[]).map((value) =>
      h('option', { value, text: capital(JOB_WORDS[value]) }),
    ),
  );
  state.value = filters.get('status') ?? '';
  const chosen = h('p', { class: 'labels', hidden: true });
  const list = h('ul', { class: 'jobs__list' });
  const message = h('p', {
    class: 'quiet jobs__message',
    role: 'status',
    text: 'Looking for jobs…',
  });
  const more = h('button', { class: 'button', type: 'button', text: 'Show more', hidden: true });
  const draw = keyed<JobSummary>(
    list,
    (job) => job.job_id,
    (job) =>
      jobRow(job, (label) => {
        choose('label', label);
      }),
  );
  let jobs: JobSummary[] = [];
  let cursor: string | null = null;
  let pages = 1;
  let round = 0;

  const wanted = (): [string, string][] => [...filters].filter(([, value]) => value !== '');

  const redraw = (): void => {
    draw(jobs);
    show(more, cursor !== null);
    show(message, jobs.length === 0);
    setText(
      message,
      wanted().length === 0 ? 'No job yet. The first one starts on this page.' : 'No job matches.',
    );
  };

  const load = async (): Promise<void> => {
    const mine = (round += 1);
    const loaded: JobSummary[] = [];
    let next: string | null = null;
    for (let page = 0; page < pages; page += 1) {
      const answer = await api.jobs({
        ...Object.fromEntries(wanted()),
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

  /** Label and model filters, each with a button that removes it. */
  const showChosen = (): void => {
    const names = (['label', 'model'] as const).filter((name) => filters.get(name) !== '');
    chosen.replaceChildren(
      ...names.map((name) =>
        h('button', {
          class: 'label-chip',
          type: 'button',
          text: `${filters.get(name) ?? ''} ✕`,
          'aria-label': `Any ${name}, not only ${filters.get(name) ?? ''}`,
          onclick: () => {
            choose(name, '');
          },
        }),
      ),
    );
    show(chosen, names.length > 0);
  };

  const choose = (name: (typeof FILTERS)[number], value: string): void => {
    if (filters.get(name) === value) return;
    filters.set(name, value);
    pages = 1;
    const words = new URLSearchParams(wanted()).toString();
    history.replaceState(history.state, '', words === '' ? location.pathname : `?${words}`);
    showChosen();
    void load();
  };

  let typing: ReturnType<typeof setTimeout> | undefined;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      choose('q', search.value.trim());
    }, PAUSE);
  });
  state.addEventListener('change', () => {
    choose('status', state.value);
  });
  showChosen();
  more.addEventListener('click', () => {
    pages += 1;
    void load();
  });
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** The list is loaded again a while after the last answer, however long that took. */
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
    chosen,
    list,
    message,
    more,
  );
  return {
    element,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(typing);
    },
  };
}

function jobRow(
  job: JobSummary,
  choose: (label: string) => void,
): { element: HTMLElement; update(job: JobSummary): void } {
  const chip = h('span', { class: 'chip' });
  const facts = h('span', { class: 'quiet' });
  const bar = h('span', { class: 'bar' }, h('span', { class: 'bar__fill' }));
  // Next to the link, not in it: each does something else.
  const labels = h(
    'p',
    { class: 'labels', hidden: job.labels.length === 0 },
    ...job.labels.map((label) =>
      h('button', {
        class: 'label-chip',
        type: 'button',
        text: label,
        'aria-label': `Only jobs with the label ${label}`,
        onclick: () => {
          choose(label);
        },
      }),
    ),
  );
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
    labels,
  );
  return {
    element,
    update(next) {
      attribute(chip, 'data-status', next.status);
      setText(chip, capital(JOB_WORDS[next.status]));
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
