/**
 * Says what happened: to a screen reader through the page's live region, to eyes as a toast.
 * Routine progress is only spoken; what a person did is also shown.
 */
import type { JobEvent } from '../domain/job/job.schema.js';
import { h } from './dom.js';
import { sentenceOf } from './words.js';

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
