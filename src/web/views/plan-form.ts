/**
 * Where a plan comes in: pasted, dropped, picked or the example. Every change is estimated by the
 * API, which refuses exactly what a start would refuse. Nothing starts but by its button.
 */
import { say, tell } from '../announce.js';
import { plural, usd } from '../../client/figures.js';
import type { Estimate } from '../../client/wire.js';
import { api, newKey, type Answer } from '../api-client.js';
import { attribute, h, setText } from '../dom.js';
import { EXAMPLE_PLAN } from '../example-plan.js';
import { jobName, named } from '../job-name.js';
import { readPlanText } from '../plan-text.js';
import { estimateView, mistakesView } from './estimate-box.js';
import { modelPicker } from './model-picker.js';

const TYPING_PAUSE = 500;
const DRAFT = 'plan_draft';

export interface View {
  element: HTMLElement;
  close(): void;
}

export function planForm(openJob: (jobId: string) => void): View {
  const outcome = h('div', { class: 'plan__outcome' });
  const status = h('p', { class: 'quiet plan__status', role: 'status' });
  const text = h('textarea', {
    id: 'plan',
    class: 'plan__text',
    rows: 12,
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: '{ "clip_prompts": [ { "clip_index": 0, "prompt": "…", "duration": 5 } ] }',
    'aria-describedby': 'plan-hint',
  });
  const file = h('input', {
    type: 'file',
    accept: '.json,application/json',
    id: 'plan-file',
    class: 'visually-hidden',
  });
  let round = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const check = async (): Promise<void> => {
    const mine = (round += 1);
    sessionStorage.setItem(DRAFT, text.value);
    const plan = readPlanText(text.value);
    picker.planChanged(plan.kind === 'json' ? plan.value : null);
    if (plan.kind !== 'json') {
      setText(status, '');
      outcome.replaceChildren(
        ...(plan.kind === 'broken' ? [mistakesView({ message: plan.message, errors: [] })] : []),
      );
      return;
    }
    setText(status, 'Estimating…');
    const answer = await api.estimate(plan.value);
    if (mine !== round) return; // a newer text is being estimated
    setText(status, '');
    showEstimate(answer, plan.value);
  };

  const showEstimate = (answer: Answer<Estimate>, plan: unknown): void => {
    if (!answer.ok) {
      outcome.replaceChildren(mistakesView(answer));
      return;
    }
    const { value } = answer;
    // Chosen once an estimate: however often start is pressed, it is the same job.
    const key = newKey();
    const job = named(plan, jobName(new Date(), crypto.getRandomValues(new Uint8Array(4))));
    outcome.replaceChildren(estimateView(value, () => void start(job, key)));
    say(`${plural(value.clips.length, 'clip')}, estimated ${usd(value.estimated_cost_usd)}`);
  };

  const start = async (plan: unknown, key: string): Promise<void> => {
    const button = outcome.querySelector('#start');
    if (button) attribute(button, 'disabled', true);
    setText(status, 'Starting…');
    const answer = await api.start(plan, key);
    setText(status, '');
    if (button) attribute(button, 'disabled', null);
    if (!answer.ok) {
      tell(answer.message, 'bad');
      if (answer.errors.length > 0) outcome.replaceChildren(mistakesView(answer));
      return;
    }
    sessionStorage.removeItem(DRAFT);
    tell(
      answer.value.status === 200
        ? 'This job was started before; here it is'
        : 'The job is started',
    );
    openJob(answer.value.value.job_id);
  };

  const use = (content: string): void => {
    text.value = content;
    void check();
  };
  const read = async (chosen: File | undefined): Promise<void> => {
    if (chosen !== undefined) use(await chosen.text());
  };

  const picker = modelPicker((model) => {
    const plan = readPlanText(text.value);
    const value = plan.kind === 'json' && isObject(plan.value) ? plan.value : EXAMPLE_PLAN;
    use(JSON.stringify({ ...value, model }, null, 2));
    tell(`The plan asks for ${model}`);
  });

  text.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => void check(), TYPING_PAUSE);
  });
  file.addEventListener('change', () => {
    void read(file.files?.[0]);
    file.value = ''; // the same file can be picked again after an edit
  });

  const element = h(
    'section',
    { class: 'panel plan', 'aria-labelledby': 'plan-title' },
    h('h1', { id: 'plan-title', text: 'New job' }),
    h('p', {
      id: 'plan-hint',
      class: 'lead',
      text: 'Paste a plan, drop a file here, or begin with the example. Nothing is paid before you start.',
    }),
    h(
      'div',
      { class: 'plan__sources' },
      h('button', {
        class: 'button',
        type: 'button',
        text: 'Use the example',
        onclick: () => {
          use(JSON.stringify(EXAMPLE_PLAN, null, 2));
        },
      }),
      h('button', {
        class: 'button',
        type: 'button',
        text: 'Choose a file…',
        onclick: () => {
          file.click();
        },
      }),
      file,
    ),
    h('label', { class: 'label', for: 'plan', text: 'Plan (JSON)' }),
    text,
    picker.element,
    status,
    outcome,
  );
  attribute(file, 'tabindex', -1);
  attribute(file, 'aria-label', 'Plan file');
  acceptDrops(element, (dropped) => void read(dropped));

  const draft = sessionStorage.getItem(DRAFT);
  if (draft !== null && draft !== '') use(draft);
  return {
    element,
    close: () => {
      clearTimeout(timer);
    },
  };
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function acceptDrops(element: HTMLElement, onFile: (file: File | undefined) => void): void {
  const hover = (over: boolean) => (event: DragEvent) => {
    event.preventDefault();
    attribute(element, 'data-dropping', over);
  };
  element.addEventListener('dragover', hover(true));
  element.addEventListener('dragleave', hover(false));
  element.addEventListener('drop', (event) => {
    hover(false)(event);
    onFile(event.dataTransfer?.files[0]);
  });
}
