/**
 * What a plan will ask and cost, before anything is paid; or every mistake that is in it. It starts
 * nothing itself: the form that owns it does.
 */
import { percent, plural, roughly, seconds, usd } from '../../client/figures.js';
import type { ClipEstimate, Estimate } from '../../client/wire.js';
import type { Refusal } from '../api-client.js';
import { h, type Child } from '../dom.js';
import { increase } from '../format.js';

/** Above this a buffer is worth a second look. */
const WATCHED_INCREASE = 20;

export function estimateView(estimate: Estimate, onStart: () => void): HTMLElement {
  const total = usd(estimate.estimated_cost_usd);
  return h(
    'section',
    { class: 'estimate', 'aria-labelledby': 'estimate-title' },
    h('h2', { id: 'estimate-title', text: 'Before you start' }),
    totals(estimate),
    warnings(estimate.warnings),
    table(estimate.clips),
    cheaper(estimate.alternatives ?? []),
    h(
      'div',
      { class: 'estimate__start' },
      h('button', {
        class: 'button button--primary button--large',
        type: 'button',
        id: 'start',
        text: `Start ${plural(estimate.clips.length, 'clip')} · ${total}`,
        onclick: onStart,
      }),
      h('p', {
        class: 'quiet',
        text: 'Retries of failed clips can cost more than the estimate; max_cost_usd in the plan caps it.',
      }),
    ),
  );
}

function totals(estimate: Estimate): HTMLElement {
  const requested = estimate.clips.reduce((sum, clip) => sum + clip.requested_duration, 0);
  const pairs: [string, string][] = [
    ['Clips', String(estimate.clips.length)],
    ['Video asked for', seconds(requested)],
    ['Estimated cost', usd(estimate.estimated_cost_usd)],
    ['Extra for the buffer', increase(estimate.cost_increase_percent)],
  ];
  const { draft_cost_usd: draft, final_cost_usd: final } = estimate;
  if (draft !== undefined && final !== undefined) {
    pairs.push(['As a draft', usd(draft)], ['As a final', usd(final)]);
  }
  for (const { model, estimated_cost_usd } of estimate.fallbacks ?? []) {
    pairs.push([`All on ${model}`, usd(estimated_cost_usd)]);
  }
  const time = estimate.makespan?.[estimate.dispatch ?? 'batches'];
  if (time !== undefined) pairs.push(['Usually takes', roughly(time)]);
  return h(
    'dl',
    { class: 'figures' },
    ...pairs.map(([name, value]) =>
      h(
        'div',
        { class: 'figure' },
        h('dt', { text: name }),
        h('dd', {}, h('span', { class: 'figure__value', text: value })),
      ),
    ),
  );
}

const warnings = (texts: readonly string[]): Child =>
  texts.length === 0
    ? null
    : h(
        'div',
        { class: 'notice notice--warn' },
        h('h3', { class: 'notice__title', text: `Worth knowing (${String(texts.length)})` }),
        h('ul', {}, ...texts.map((text) => h('li', { text }))),
      );

const cheaper = (others: NonNullable<Estimate['alternatives']>): Child =>
  others.length === 0
    ? null
    : h(
        'details',
        { class: 'cheaper' },
        h('summary', { text: `${plural(others.length, 'model')} could do this for less` }),
        h(
          'ul',
          {},
          ...others.map(({ model, estimated_cost_usd, saves_percent, message }) =>
            h(
              'li',
              {},
              h('strong', { text: `${model} · ${usd(estimated_cost_usd)}` }),
              h('span', { class: 'quiet', text: ` ${percent(saves_percent)} less. ${message}` }),
            ),
          ),
        ),
      );

const HEADINGS = ['Clip', 'Wanted', 'Requested', 'Cost', 'Buffer'];

const table = (clips: readonly ClipEstimate[]): HTMLElement =>
  h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Estimate of every clip' },
    h(
      'table',
      { class: 'table' },
      h('thead', {}, h('tr', {}, ...HEADINGS.map((text) => h('th', { scope: 'col', text })))),
      h('tbody', {}, ...clips.map(row)),
    ),
  );

const row = (clip: ClipEstimate): HTMLElement =>
  h(
    'tr',
    {},
    h('th', { scope: 'row', text: String(clip.clip_index) }),
    h('td', { text: seconds(clip.target_duration) }),
    h(
      'td',
      { class: 'table__wide' },
      h('strong', { text: seconds(clip.requested_duration) }),
      h('span', { class: 'quiet', text: clip.duration_reason ?? '' }),
    ),
    h('td', { text: usd(clip.estimated_cost_usd) }),
    h('td', {
      class: clip.cost_increase_percent > WATCHED_INCREASE ? 'watched' : null,
      text: clip.cost_increase_percent > 0 ? `+${percent(clip.cost_increase_percent)}` : '–',
    }),
  );

/** Every mistake of a plan, each with its path. */
export const mistakesView = (refusal: Pick<Refusal, 'message' | 'errors'>): HTMLElement =>
  h(
    'section',
    { class: 'notice notice--bad', role: 'alert' },
    h('h2', {
      class: 'notice__title',
      text:
        refusal.errors.length === 0
          ? 'This plan cannot be started'
          : `${plural(refusal.errors.length, 'mistake')} in this plan`,
    }),
    refusal.errors.length === 0
      ? h('p', { text: refusal.message })
      : h(
          'ul',
          { class: 'mistakes' },
          ...refusal.errors.map(({ path, message }) =>
            h(
              'li',
              {},
              h('code', { text: path === '' ? 'plan' : path }),
              h('span', { text: message }),
            ),
          ),
        ),
  );
