/**
 * A download while it runs: how far it is, and a way to end it. One at a time; leaving the job ends it, since nothing would
 * show it any longer.
 */
import type { Job } from '../../domain/job/job.schema.js';
import { errorMessage } from '../../domain/values/error-message.js';
import { tell } from '../announce.js';
import { attribute, h, setText, show } from '../dom.js';
import { downloadAll, type DownloadOutcome, type DownloadProgress } from '../download.js';

const WORDS: Record<DownloadOutcome, string | null> = {
  saved: 'The download is complete',
  canceled: 'The download was canceled; nothing is left of it',
  dismissed: null,
};

export interface DownloadBox {
  element: HTMLElement;
  run(job: Job): Promise<void>;
  close: () => void;
}

export function downloadBox(): DownloadBox {
  const bar = h('progress', { class: 'download__bar', max: 1, 'aria-label': 'Download' });
  const text = h('span', { class: 'quiet' });
  const cancel = h('button', {
    class: 'button button--small',
    type: 'button',
    text: 'Cancel download',
  });
  const element = h('div', { class: 'download', hidden: true }, bar, text, cancel);
  let running: AbortController | null = null;
  const close = (): void => running?.abort();
  cancel.addEventListener('click', close);

  const report = ({ text: words, share }: DownloadProgress): void => {
    show(element, true);
    attribute(bar, 'value', share);
    setText(text, words);
  };
  return {
    element,
    close,
    async run(job) {
      running = new AbortController();
      try {
        const words = WORDS[await downloadAll(job, report, running)];
        if (words !== null) tell(words);
      } catch (error) {
        tell(errorMessage(error), 'bad');
      } finally {
        running = null;
        show(element, false);
      }
    },
  };
}
