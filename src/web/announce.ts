/**
 * Says what happened: to a screen reader through the page's live region, to eyes as a toast.
 * Routine progress is only spoken; what a person did is also shown.
 */
import type { JobEvent } from '../client/wire.js';
import { h } from './dom.js';
import { clipName } from './format.js';

/** An event as a sentence; null for what a person need not be told. */
function sentenceOf(event: JobEvent): string | null {
  switch (event.type) {
    case 'clip.completed':
      return `${clipName(event.clip_index)} is ready`;
    case 'clip.failed':
      return `${clipName(event.clip_index)} failed: ${event.clip.error?.message ?? 'no reason given'}`;
    case 'clip.canceled':
      return `${clipName(event.clip_index)} was canceled`;
    case 'clip.retrying':
      return `${clipName(event.clip_index)} will be tried again`;
    case 'batch.started':
      return `Batch ${String(event.batch)} of ${String(event.batches)} started`;
    case 'job.paused':
      return 'The job is paused; running clips finish';
    case 'job.resumed':
      return 'The job is resumed';
    case 'job.warning':
      return `Warning: ${event.message}`;
    case 'job.completed':
      return 'The job is done';
    case 'job.failed':
      return `The job failed: ${event.error?.message ?? 'no reason given'}`;
    case 'job.canceled':
      return 'The job was canceled';
    case 'job.started':
    case 'clip.started':
    case 'clip.submitted':
    case 'clip.storing':
      return null;
  }
  return null; // of a newer release
}

const region = (): HTMLElement | null => document.querySelector('#announcements');
let pending: string[] = [];

/** Several facts within a moment become one announcement instead of cutting each other off. */
export function say(message: string): void {
  if (pending.length === 0) {
    setTimeout(() => {
      const spoken = pending.length > 4 ? [...pending.slice(0, 3), 'and more'] : pending;
      region()?.replaceChildren(spoken.join('. '));
      pending = [];
    }, 150);
  }
  pending.push(message);
}

export function sayEvent(event: JobEvent): void {
  const sentence = sentenceOf(event);
  if (sentence !== null) say(sentence);
}

const TOAST_TIME = { good: 6000, bad: 12_000 };

export function tell(message: string, tone: keyof typeof TOAST_TIME = 'good'): void {
  say(message);
  const toast = h('p', { class: `toast toast--${tone}`, text: message });
  document.querySelector('#toasts')?.append(toast);
  setTimeout(() => {
    toast.remove();
  }, TOAST_TIME[tone]);
}
