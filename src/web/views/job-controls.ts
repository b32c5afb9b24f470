/**
 * What a person can do to a job. One table of buttons: when each makes sense, what it asks first,
 * what it calls and what is said afterwards. A refusal is said in the server's own words.
 */
import { tell } from '../announce.js';
import { plural, usd } from '../../client/figures.js';
import type { Job } from '../../client/wire.js';
import { api, newKey, type Answer, type JobAction } from '../api-client.js';
import { askForCap, askForFinals, confirmed } from '../dialogs.js';
import { busy, h, setText, show } from '../dom.js';
import { isOver } from '../../domain/job/progress.js';
import { downloadBox, type DownloadBox } from './download-box.js';

interface Control {
  id: string;
  label(job: Job): string;
  visible(job: Job): boolean;
  run(job: Job): Promise<void>;
  danger?: boolean;
}

interface ControlContext {
  /** After an accepted action: the stream may have to look again at once. */
  onChanged(): void;
  openJob: (jobId: string) => void;
}

const lost = (job: Job): number => job.failed_clips + job.canceled_clips;

export function jobControls(context: ControlContext): {
  element: HTMLElement;
  update(job: Job): void;
  close: () => void;
} {
  const download = downloadBox();
  const act = (action: JobAction, done: string) => async (job: Job) => {
    const answer = await api.actOnJob(job.job_id, action);
    report(answer, done);
    if (answer.ok) context.onChanged();
  };
  const controls = [
    ...steering(act),
    capControl(context),
    finalsControl(context),
    downloadControl(download),
  ];
  let current: Job | null = null;
  const buttons = controls.map((control) => {
    const button = h('button', {
      class: control.danger === true ? 'button button--danger' : 'button',
      type: 'button',
      'data-action': control.id,
      hidden: true,
    });
    button.addEventListener('click', () => {
      if (current !== null) void busy(button, control.run(current));
    });
    return { control, button };
  });
  return {
    element: h(
      'div',
      { class: 'controls', role: 'group', 'aria-label': 'This job' },
      ...buttons.map(({ button }) => button),
      download.element,
    ),
    close: download.close,
    update(job) {
      current = job;
      for (const { control, button } of buttons) {
        show(button, control.visible(job));
        setText(button, control.label(job));
      }
    },
  };
}

type Act = (action: JobAction, done: string) => (job: Job) => Promise<void>;

const steering = (act: Act): Control[] => [
  {
    id: 'pause',
    label: () => 'Pause',
    visible: (job) => job.status === 'running' || job.status === 'queued',
    run: act('pause', 'Pausing: running clips finish, no more start'),
  },
  {
    id: 'resume',
    label: () => 'Resume',
    visible: (job) => job.status === 'paused',
    run: act('resume', 'The job is resumed'),
  },
  {
    id: 'retry',
    label: (job) =>
      lost(job) === 1 ? 'Retry the failed clip' : `Retry all ${String(lost(job))} failed clips`,
    visible: (job) => lost(job) > 0,
    run: act('retry', 'Retrying; the good clips are kept and not paid again'),
  },
  {
    id: 'cancel',
    label: () => 'Cancel job',
    danger: true,
    visible: (job) => !isOver(job.status),
    run: async (job) => {
      const sure = await confirmed({
        title: 'Cancel this job?',
        text: 'Finished clips are kept. Running ones are canceled at the provider and may still be billed for the time they ran.',
        yes: 'Cancel the job',
        no: 'Let it run',
      });
      if (sure) await act('cancel', 'Canceling the job')(job);
    },
  },
];

const capControl = (context: ControlContext): Control => ({
  id: 'raise-cap',
  label: () => 'Raise cap…',
  visible: (job) => job.max_cost_usd !== null && !isOver(job.status),
  run: async (job) => {
    const cap = await askForCap({
      current: job.max_cost_usd ?? 0,
      spent: job.total_cost_usd,
      unknown: job.unknown_costs,
    });
    if (cap === null) return;
    const answer = await api.setMaxCost(job.job_id, cap);
    report(answer, `The job may spend up to ${usd(cap)} now`);
    if (answer.ok) context.onChanged();
  },
});

const finalsControl = (context: ControlContext): Control => ({
  id: 'finals',
  label: () => 'Make the finals…',
  visible: (job) => job.quality === 'draft' && isOver(job.status) && job.successful_clips > 0,
  run: async (job) => {
    // Chosen once a question: however often an answer is lost, it is the same job.
    const key = newKey();
    const clips = await askForFinals(job);
    if (clips === null) return;
    const answer = await api.finals(job.job_id, clips, key);
    report(answer, `The finals of ${plural(clips.length, 'clip')} are started`);
    if (answer.ok) context.openJob(answer.value.job_id);
  },
});

const downloadControl = (box: DownloadBox): Control => ({
  id: 'download',
  label: (job) => (isOver(job.status) ? 'Download all' : 'Download what is ready'),
  visible: (job) => job.successful_clips > 0,
  run: (job) => box.run(job),
});

export function report(answer: Answer<unknown>, done: string): void {
  if (answer.ok) tell(done);
  else tell(answer.message, 'bad');
}
