/** Which cards are shown: all, or those in one group of states. The hiding itself is the stylesheet's. */
import { attribute, h } from '../dom.js';

const GROUPS: readonly [value: string, label: string][] = [
  ['all', 'All'],
  ['working', 'In progress'],
  ['ready', 'Ready'],
  ['problems', 'Problems'],
];

export const clipFilter = (): { element(grid: HTMLElement): HTMLElement } => ({
  element: (grid) =>
    h(
      'fieldset',
      { class: 'segments' },
      h('legend', { class: 'visually-hidden', text: 'Show clips' }),
      ...GROUPS.map(([value, label]) => {
        const input = h('input', {
          type: 'radio',
          name: 'clip-filter',
          id: `filter-${value}`,
          class: 'visually-hidden',
          checked: value === 'all',
        });
        input.addEventListener('change', () => {
          attribute(grid, 'data-filter', value);
        });
        return h(
          'span',
          { class: 'segment' },
          input,
          h('label', { for: `filter-${value}`, text: label }),
        );
      }),
    ),
});
