/**
 * The whole job at a glance: a frame a clip, in batches, coloured by state; for very many clips a
 * share a state. One picture to a screen reader, told in a sentence.
 */
import { CLIP_WORDS } from '../../client/words.js';
import type { ClipStatus, Job } from '../../client/wire.js';
import { attribute, h } from '../dom.js';

/** More frames than this are thinner than a pixel somewhere. */
const MAX_FRAMES = 150;
const ORDER: readonly ClipStatus[] = [
  'succeeded',
  'storing',
  'running',
  'retrying',
  'failed',
  'canceled',
  'queued',
];

export function filmStrip(): { element: HTMLElement; update(job: Job): void } {
  const element = h('div', { class: 'strip', role: 'img' });
  let shape = '';
  return {
    element,
    update(job) {
      const many = job.clips.length > MAX_FRAMES;
      const next = many ? 'many' : `${String(job.clips.length)}/${String(job.batch_size)}`;
      if (next !== shape) element.replaceChildren(...(many ? shares() : frames(job)));
      shape = next;
      if (many) drawShares(element, job);
      else drawFrames(element, job);
      attribute(element, 'aria-label', sentence(job));
    },
  };
}

const counts = (job: Job): [ClipStatus, number][] =>
  ORDER.map((status) => [status, job.clips.filter((clip) => clip.status === status).length]);

const sentence = (job: Job): string =>
  counts(job)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${String(count)} ${CLIP_WORDS[status]}`)
    .join(', ');

const shares = (): HTMLElement[] =>
  ORDER.map((status) => h('span', { class: 'strip__share', 'data-status': status }));

function drawShares(element: HTMLElement, job: Job): void {
  counts(job).forEach(([, count], index) => {
    const share = element.children[index];
    if (share instanceof HTMLElement) share.style.flexGrow = String(count);
  });
}

/** In a window there are no batches: one long strip. */
function frames(job: Job): HTMLElement[] {
  const size = job.dispatch === 'window' ? job.clips.length : job.batch_size;
  const batches: HTMLElement[] = [];
  for (let start = 0; start < job.clips.length; start += Math.max(1, size)) {
    const batch = job.clips
      .slice(start, start + size)
      .map(() => h('span', { class: 'strip__frame' }));
    const box = h('span', { class: 'strip__batch' }, ...batch);
    box.style.flexGrow = String(batch.length);
    batches.push(box);
  }
  return batches;
}

function drawFrames(element: HTMLElement, job: Job): void {
  const drawn = element.querySelectorAll('.strip__frame');
  job.clips.forEach((clip, index) => {
    const frame = drawn[index];
    if (frame) attribute(frame, 'data-status', clip.status);
  });
}
