/**
 * Why a clip waits or failed, in plain words, the provider's own beneath them, and the countdown to
 * what comes next. Nothing at all while nothing is wrong.
 */
import { clock } from '../../client/figures.js';
import { capital, failureWords, phaseText } from '../../client/words.js';
import type { Clip, ClipProgress, Job } from '../../client/wire.js';
import { isClipOver, isOver } from '../../domain/job/progress.js';
import { now } from '../clock.js';
import { h, setText, show } from '../dom.js';

interface Input {
  job: Job;
  clip: Clip;
  live: ClipProgress | undefined;
}

export function troubleBox(): { element: HTMLElement; update(input: Input): void } {
  const words = h('strong', {});
  const text = h('span', { class: 'clip__error' });
  const countdown = h('span', { class: 'clip__countdown' });
  const element = h('div', { class: 'clip__trouble', hidden: true }, words, text, countdown);
  return {
    element,
    update(input) {
      const message = reasonOf(input);
      show(element, message !== null);
      if (message === null) return;
      const { clip, live, job } = input;
      setText(words, headline(clip, live));
      setText(text, message);
      setText(countdown, isOver(job.status) ? '' : countdownText(clip, live));
      show(countdown, countdown.textContent !== '');
    },
  };
}

/** A clip that runs again is not in trouble: what is told is of the attempt before. */
function headline(clip: Clip, live: ClipProgress | undefined): string {
  if (clip.error === null) return capital(phaseText(clip, live));
  const words = capital(failureWords(clip.error.kind));
  return isClipOver(clip.status) || clip.status === 'retrying' ? words : `Last attempt: ${words}`;
}

/** Temporal's word for a worker that was killed; its clip is taken over, not paid again. */
const LOST_WORKER = /heartbeat timeout/i;

function reasonOf({ clip, live }: Input): string | null {
  if (clip.status === 'succeeded') return null;
  if (clip.error !== null) return clip.error.message;
  if (live?.phase === 'backoff') {
    return LOST_WORKER.test(live.last_error ?? '')
      ? 'The worker went away; another takes over where it was.'
      : (live.last_error ?? null);
  }
  if (live?.phase === 'storing' && !LOST_WORKER.test(live.last_error ?? '')) {
    return live.message ?? live.last_error ?? null;
  }
  return live?.phase === 'waiting' ? (live.message ?? null) : null;
}

function countdownText(clip: Clip, live: ClipProgress | undefined): string {
  if (clip.status === 'retrying' || live?.phase === 'backoff') {
    return inTime(clip.next_attempt_at ?? live?.next_attempt_at, 'Next try', 'Trying again now…');
  }
  return live?.phase === 'waiting' ? inTime(live.until, 'Resumes', 'Resuming now…') : '';
}

function inTime(at: string | null | undefined, what: string, due: string): string {
  if (at === null || at === undefined) return '';
  const left = Math.ceil((Date.parse(at) - now()) / 1000);
  return left > 0 ? `${what} in ${clock(left)}` : due;
}
