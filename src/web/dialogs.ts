/**
 * The four questions this page ever asks: are you sure, which key, which cap, and which finals. Native
 * dialogs: focus stays inside, Escape closes, the element that asked gets the focus back.
 */
import { storeKey } from './api-key.js';
import type { Job } from '../domain/job/job.schema.js';
import { attribute, h, setText } from './dom.js';
import { plural, spent as spentText, usd } from '../client/figures.js';
import { clipName } from './format.js';

function open(dialog: HTMLDialogElement): Promise<string> {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

interface Question {
  title: string;
  text: string;
  yes: string;
  no: string;
}

export async function confirmed(question: Question): Promise<boolean> {
  const answer = await open(
    h(
      'dialog',
      { class: 'dialog', 'aria-labelledby': 'dialog-title' },
      h(
        'form',
        { method: 'dialog' },
        h('h2', { id: 'dialog-title', text: question.title }),
        h('p', { text: question.text }),
        h(
          'div',
          { class: 'dialog__buttons' },
          h('button', { class: 'button', value: 'no', text: question.no, autofocus: true }),
          h('button', { class: 'button button--danger', value: 'yes', text: question.yes }),
        ),
      ),
    ),
  );
  return answer === 'yes';
}

let asking: Promise<void> | null = null;

/** Asks once, however many calls wait for the key. */
export function askForApiKey(): Promise<void> {
  asking ??= askForKey().finally(() => {
    asking = null;
  });
  return asking;
}

async function askForKey(): Promise<void> {
  const input = h('input', {
    id: 'api-key',
    class: 'input',
    type: 'password',
    autocomplete: 'off',
    required: true,
  });
  const dialog = h(
    'dialog',
    {
      class: 'dialog',
      'aria-labelledby': 'dialog-title',
      oncancel: (event) => {
        event.preventDefault();
      },
    },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title', text: 'This server asks for a key' }),
      h('p', { text: 'Give one of its API_KEYS. It is kept until this tab is closed.' }),
      h('label', { class: 'label', for: 'api-key', text: 'API key' }),
      input,
      h(
        'div',
        { class: 'dialog__buttons' },
        h('button', { class: 'button button--primary', value: 'ok', text: 'Use this key' }),
      ),
    ),
  );
  await open(dialog);
  storeKey(input.value.trim());
}

interface Cap {
  current: number;
  spent: number;
  /** Predictions whose cost is not known. */
  unknown: number;
}

/** The new cap in US dollars; null when it is left as it is. */
export async function askForCap({ current, spent, unknown }: Cap): Promise<number | null> {
  const input = h('input', {
    id: 'cap',
    class: 'input',
    type: 'number',
    min: spent,
    step: 'any',
    value: Math.ceil(Math.max(current * 1.5, spent + 1)),
    inputmode: 'decimal',
    required: true,
    autofocus: true,
  });
  // No submit button: Enter in the field is for the other one.
  const keep = h('button', { class: 'button', type: 'button', text: 'Keep the cap' });
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title', text: 'Raise the cost cap' }),
      h('p', {
        text: `The cap is ${usd(current)}, ${spentText(spent, unknown)} are spent. Clips that were given up for it can be retried afterwards.`,
      }),
      h('label', { class: 'label', for: 'cap', text: 'New cap in US dollars' }),
      input,
      h(
        'div',
        { class: 'dialog__buttons' },
        keep,
        h('button', { class: 'button button--primary', value: 'yes', text: 'Set the cap' }),
      ),
    ),
  );
  keep.addEventListener('click', () => {
    dialog.close();
  });
  return (await open(dialog)) === 'yes' ? Number(input.value) : null;
}

/** The clips of a draft whose finals are to be made; null when none is. */
export async function askForFinals(job: Job): Promise<number[] | null> {
  const choices = job.clips
    .filter(({ status }) => status === 'succeeded')
    .map(({ clip_index: index, prompt }) => {
      const id = `final-${String(index)}`;
      const box = h('input', { type: 'checkbox', id, checked: true });
      const label = h('label', { for: id }, h('strong', { text: clipName(index) }), ` ${prompt}`);
      return { index, box, line: h('li', {}, box, label) };
    });
  const chosen = (): number[] => choices.flatMap(({ index, box }) => (box.checked ? [index] : []));
  const make = h('button', { class: 'button button--primary', value: 'yes' });
  const count = (): void => {
    setText(make, `Make ${plural(chosen().length, 'final')}`);
    attribute(make, 'disabled', chosen().length === 0 ? true : null);
  };
  count();
  for (const { box } of choices) box.addEventListener('change', count);
  const cost = job.final_cost_usd ?? null;
  const each =
    cost === null
      ? 'What they cost is not known.'
      : `The finals of all ${plural(job.total_clips, 'clip')} are expected to cost ${usd(cost)}.`;
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title', text: 'Make the finals' }),
      h('p', { text: `A job of its own, with the same prompts and seeds. ${each}` }),
      h('ul', { class: 'choices', 'aria-label': 'Clips' }, ...choices.map(({ line }) => line)),
      h(
        'div',
        { class: 'dialog__buttons' },
        h('button', { class: 'button', value: 'no', text: 'Not now' }),
        make,
      ),
    ),
  );
  return (await open(dialog)) === 'yes' ? chosen() : null;
}
