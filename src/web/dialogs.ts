/**
 * The three questions this page ever asks: are you sure, which key, and how a cap is raised. Native
 * dialogs: focus stays inside, Escape closes, the element that asked gets the focus back.
 */
import { storeKey } from './api-key.js';
import { h, setText } from './dom.js';
import { shellWord, usd } from './format.js';

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
  job_id: string;
  namespace: string | null;
  current: number;
  spent: number;
}

/** A cap is raised by a signal to the workflow: the page composes the command, a person runs it. */
export async function showRaiseCap(cap: Cap): Promise<void> {
  const suggestion = Math.ceil(Math.max(cap.current * 1.5, cap.spent + 1));
  const command = h('code', { id: 'cap-command' });
  const input = h('input', {
    id: 'cap',
    class: 'input',
    type: 'number',
    min: cap.spent,
    step: 'any',
    value: suggestion,
    inputmode: 'decimal',
    oninput: () => {
      setText(command, capCommand(cap, Number(input.value)));
    },
  });
  setText(command, capCommand(cap, suggestion));
  const copy = h('button', {
    class: 'button button--primary',
    type: 'button',
    text: 'Copy the command',
  });
  copy.addEventListener('click', () => {
    void copyText(command).then((copied) => {
      setText(copy, copied ? 'Copied' : 'Selected: press Ctrl+C');
    });
  });
  await open(
    h(
      'dialog',
      { class: 'dialog', 'aria-labelledby': 'dialog-title' },
      h(
        'form',
        { method: 'dialog' },
        h('h2', { id: 'dialog-title', text: 'Raise the cost cap' }),
        h('p', {
          text: `The cap is ${usd(cap.current)}, ${usd(cap.spent)} are spent. Raising it is a signal to the workflow; run this where the Temporal CLI reaches the server, and the job takes it at once.`,
        }),
        h('label', { class: 'label', for: 'cap', text: 'New cap in US dollars' }),
        input,
        h('pre', { class: 'command', tabindex: 0, 'aria-label': 'Command' }, command),
        h(
          'div',
          { class: 'dialog__buttons' },
          h('button', { class: 'button', value: 'close', text: 'Close' }),
          copy,
        ),
      ),
    ),
  );
}

export function capCommand(cap: Pick<Cap, 'job_id' | 'namespace'>, usdAmount: number): string {
  const input = JSON.stringify({ max_cost_usd: Number.isFinite(usdAmount) ? usdAmount : 0 });
  const namespace =
    cap.namespace === null || cap.namespace === 'default'
      ? ''
      : ` --namespace ${shellWord(cap.namespace)}`;
  return `temporal workflow signal${namespace} --workflow-id ${shellWord(cap.job_id)} --name setMaxCost --input ${shellWord(input)}`;
}

/** The clipboard needs a secure context; without one the text is selected instead. */
async function copyText(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
