/** Cancel and retry of one clip: which of the two makes sense now, and what came of it. */
import { api, type ClipAction } from '../api-client.js';
import { attribute, busy, h, setText, show } from '../dom.js';
import { clipName } from '../format.js';
import type { Clip, Job } from '../../domain/job/job.schema.js';
import { isClipOver, isOver } from '../../domain/job/progress.js';
import { report } from './job-controls.js';

const WORDS: Record<ClipAction, { label: string; done: string }> = {
  cancel: { label: 'Cancel', done: 'is being canceled' },
  retry: { label: 'Retry', done: 'is tried again' },
};

/** A finished job takes clips back only all together, by its own retry. */
function actionFor(clip: Clip, job: Job): ClipAction | null {
  if (isOver(job.status)) return null;
  if (!isClipOver(clip.status)) return 'cancel';
  return clip.status === 'succeeded' ? null : 'retry';
}

export function clipControls(
  jobId: string,
  index: number,
): { element: HTMLElement; update(clip: Clip, job: Job): void } {
  let action: ClipAction | null = null;
  const button = h('button', { class: 'button button--small', type: 'button', hidden: true });
  const run = async (asked: ClipAction): Promise<void> => {
    const answer = await api.actOnClip(jobId, index, asked);
    report(answer, `${clipName(index)} ${WORDS[asked].done}`);
  };
  button.addEventListener('click', () => {
    if (action !== null) void busy(button, run(action));
  });
  return {
    element: button,
    update(clip, job) {
      action = actionFor(clip, job);
      show(button, action !== null);
      if (action === null) return;
      setText(button, WORDS[action].label);
      attribute(button, 'data-action', action);
      attribute(button, 'aria-label', `${WORDS[action].label} ${clipName(index)}`);
    },
  };
}
