/**
 * The models as people choose among them: what each makes, takes and costs, filtered by what a plan needs, and what the plan
 * in the form costs and takes on each. It changes nothing but the plan's `model`, and only when asked to.
 */
import { plural, roughly, usd } from '../../client/figures.js';
import { api } from '../api-client.js';
import type { Comparison } from '../../domain/pricing/estimate.schema.js';
import { FEATURES, factsOf, type Feature, type ModelFacts } from '../../domain/models/facts.js';
import { attribute, h, setText, show } from '../dom.js';

interface ModelPicker {
  element: HTMLElement;
  /** Null: there is no plan in the form. */
  planChanged(plan: unknown): void;
}

const HEADINGS = ['Model', '', 'This plan', 'Length', 'Sizes', 'Ratios', 'Takes', 'Price', 'Usual'];

interface Line {
  facts: ModelFacts;
  element: HTMLElement;
  plan: HTMLElement;
}

export function modelPicker(use: (model: string) => void): ModelPicker {
  const search = h('input', {
    class: 'input',
    type: 'search',
    id: 'model-filter',
    placeholder: 'Name, size or ratio',
    autocomplete: 'off',
  });
  const wanted = new Set<Feature>();
  const boxes = (Object.keys(FEATURES) as Feature[]).map((name) => checkbox(name));
  const count = h('p', { class: 'quiet', role: 'status' });
  const body = h('tbody');
  const details = h(
    'details',
    { class: 'picker' },
    h('summary', { text: 'Choose and compare models' }),
    h(
      'div',
      { class: 'picker__filter' },
      h('label', { class: 'label', for: 'model-filter', text: 'Show' }),
      search,
      h(
        'fieldset',
        { class: 'picker__features' },
        h('legend', { class: 'visually-hidden', text: 'Only models with' }),
        ...boxes,
      ),
    ),
    count,
    h(
      'div',
      { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Models' },
      h(
        'table',
        { class: 'table picker__table' },
        h('thead', {}, h('tr', {}, ...HEADINGS.map(heading))),
        body,
      ),
    ),
  );
  let lines: Line[] = [];
  let plan: unknown = null;
  let round = 0;

  function checkbox(name: Feature): HTMLElement {
    const input = h('input', { type: 'checkbox', id: `has-${name}` });
    input.addEventListener('change', () => {
      if (input.checked) wanted.add(name);
      else wanted.delete(name);
      filter();
    });
    return h('label', { class: 'picker__feature' }, input, FEATURES[name]);
  }

  function filter(): void {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = lines.filter(({ facts, element }) => {
      const text = `${facts.id} ${facts.title} ${facts.status} ${facts.sizes.join(' ')} ${facts.ratios.join(' ')}`;
      const fits =
        words.every((word) => text.toLowerCase().includes(word)) &&
        [...wanted].every((name) => facts.takes.has(name));
      show(element, fits);
      return fits;
    });
    setText(count, `${plural(shown.length, 'model')} of ${String(lines.length)}`);
  }

  async function load(): Promise<void> {
    if (lines.length === 0) {
      const answer = await api.models();
      if (!answer.ok) {
        setText(count, answer.message);
        return;
      }
      lines = answer.value
        .map(factsOf)
        .sort(byPrice)
        .map((facts) => lineOf(facts, use));
      body.replaceChildren(...lines.map(({ element }) => element));
      filter();
    }
    await compare();
  }

  async function compare(): Promise<void> {
    const mine = (round += 1);
    const answer = plan === null ? null : await api.compareModels(plan);
    if (mine !== round) return; // a newer plan is being compared
    const found = new Map(
      (answer?.ok ? answer.value : []).map((one, place) => [one.model, { one, place }]),
    );
    const placeOf = ({ facts }: Line): number => found.get(facts.id)?.place ?? 0;
    if (found.size > 0) lines.sort((a, b) => placeOf(a) - placeOf(b));
    for (const { facts, plan: cell } of lines) said(cell, found.get(facts.id)?.one ?? null);
    body.replaceChildren(...lines.map(({ element }) => element));
  }

  search.addEventListener('input', filter);
  details.addEventListener('toggle', () => {
    if (details.open) void load();
  });
  return {
    element: details,
    planChanged(next) {
      plan = next;
      if (details.open) void compare();
    },
  };
}

const heading = (text: string): HTMLElement =>
  text === '' ? h('td') : h('th', { scope: 'col', text });

const byPrice = (a: ModelFacts, b: ModelFacts): number =>
  (a.cheapest_second_usd ?? Infinity) - (b.cheapest_second_usd ?? Infinity) || 0;

function lineOf(facts: ModelFacts, use: (model: string) => void): Line {
  const plan = h('td', { class: 'picker__plan' });
  const extras = [
    facts.images === 'none' ? null : facts.images,
    facts.takes.has('sound') ? 'sound' : null,
    facts.takes.has('seed') ? 'seed' : null,
  ].filter((part) => part !== null);
  const element = h(
    'tr',
    { 'data-model': facts.id },
    h(
      'th',
      { scope: 'row', class: 'picker__model' },
      h('strong', { text: facts.title }),
      h('span', { class: 'quiet', text: facts.id }),
      facts.status === 'active'
        ? null
        : h('span', { class: 'picker__status', 'data-status': facts.status, text: facts.status }),
    ),
    h(
      'td',
      {},
      h('button', {
        class: 'button button--small',
        type: 'button',
        text: 'Use',
        'aria-label': `Use ${facts.title}`,
        disabled: facts.is_retired,
        onclick: () => {
          use(facts.id);
        },
      }),
    ),
    plan,
    h('td', { text: facts.lengths }),
    h('td', { text: facts.sizes.join(', ') || '–' }),
    h('td', { text: facts.ratios.join(' ') || '–' }),
    h('td', { text: extras.join(', ') || '–' }),
    h('td', { text: facts.price }),
    h('td', { text: roughly(facts.usual_time) }),
  );
  return { facts, element, plan };
}

function said(cell: HTMLElement, one: Comparison | null): void {
  attribute(cell, 'data-can-make', one === null ? null : String(one.can_make));
  if (one === null) cell.replaceChildren('–');
  else if (!one.can_make) cell.replaceChildren(h('span', { class: 'quiet', text: one.problem }));
  else {
    const notes = [
      roughly(one.makespan.batches),
      ...(one.shorter_clips > 0
        ? [`${plural(one.shorter_clips, 'clip')} shorter than wanted`]
        : []),
      ...(one.without_settings.length > 0 ? [`without ${one.without_settings.join(', ')}`] : []),
    ];
    cell.replaceChildren(
      h('strong', { text: usd(one.estimated_cost_usd) }),
      h('span', { class: 'quiet', text: notes.join('; ') }),
    );
  }
}
