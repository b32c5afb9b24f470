/**
 * One clip: its picture, what it does, what it cost. A card is built once and then only corrected;
 * it redraws when its clip or its live progress is another object than before.
 */
import { clock, percent, plural, seconds, spent, usd } from '../../client/figures.js';
import { capital, phaseText } from '../../client/words.js';
import type { Clip, ClipProgress, Job } from '../../client/wire.js';
import { clipFileName } from '../../domain/job/clip-files.js';
import { isStarted, isClipOver, unknownCosts } from '../../domain/job/progress.js';
import { now } from '../clock.js';
import { attribute, figure, h, icon, setText, show } from '../dom.js';
import { clipName, safeLink } from '../format.js';
import { mediaUrl } from '../api-key.js';
import { keepLink } from '../links.js';
import { clipControls } from './clip-controls.js';
import { referencePicture } from './reference-picture.js';
import { screen } from './clip-video.js';
import { troubleBox } from './trouble.js';

export interface CardInput {
  job: Job;
  clip: Clip;
  live: ClipProgress | undefined;
}

export interface ClipCard {
  element: HTMLElement;
  update(input: CardInput): void;
  tick(): void;
  close: () => void;
}

export function clipCard(first: CardInput): ClipCard {
  const { clip_index: index } = first.clip;
  const picture = screen(clipName(index), index);
  const phase = h('span', { class: 'clip__phase' });
  const attempt = h('span', { class: 'quiet' });
  const bar = progressBar(clipName(index));
  const trouble = troubleBox();
  const prompt = h('p', { class: 'clip__prompt' });
  const reference = referencePicture(clipName(index));
  const facts = factList();
  const controls = clipControls(first.job.job_id, index);
  const prediction = h('a', {
    class: 'link',
    text: 'Prediction',
    rel: 'noopener',
    target: '_blank',
    'aria-label': `${clipName(index)}: prediction at the provider, in a new tab`,
  });
  prediction.append(icon('open'));
  const save = h('a', {
    class: 'link',
    text: 'Download',
    download: clipFileName(index, 'video'),
    'aria-label': `Download ${clipName(index)}`,
  });
  save.append(icon('save'));
  const element = h(
    'li',
    { class: 'clip', id: `clip-${String(index)}`, 'data-clip-index': index },
    picture.element,
    h(
      'div',
      { class: 'clip__body' },
      h(
        'div',
        { class: 'clip__top' },
        h('h2', { class: 'clip__name', text: clipName(index) }),
        phase,
        attempt,
      ),
      bar.element,
      trouble.element,
      h('div', { class: 'clip__brief' }, reference.element, prompt),
      facts.element,
      h('div', { class: 'clip__actions' }, save, prediction, controls.element),
    ),
  );

  let shown: CardInput | null = null;
  const draw = (input: CardInput): void => {
    const { clip, live } = input;
    attribute(element, 'data-status', clip.status);
    attribute(element, 'data-scheduled', clip.status === 'queued' && isStarted(clip));
    picture.update(clip);
    reference.update(clip);
    setText(phase, capital(phaseText(clip, live)));
    setText(
      attempt,
      [modelText(input), attemptText(clip)].filter((part) => part !== '').join(' · '),
    );
    setText(prompt, clip.prompt);
    bar.update(clip, live);
    facts.update(clip);
    controls.update(clip, input.job);
    const web = safeLink(clip.predictions.at(-1)?.url);
    show(prediction, web !== null);
    attribute(prediction, 'href', web);
    const video = clip.status === 'succeeded' ? mediaUrl(clip.video_url) : null;
    show(save, video !== null);
    keepLink(save, video);
  };
  const tick = (): void => {
    if (shown === null) return;
    facts.tick(shown.clip);
    trouble.update(shown);
  };
  return {
    element,
    tick,
    close: picture.close,
    update(input) {
      const same =
        shown !== null &&
        shown.clip === input.clip &&
        shown.live === input.live &&
        shown.job.status === input.job.status;
      shown = input;
      if (!same) draw(input);
      tick();
    },
  };
}

/** Only where it is not the one that stands above all clips. */
const modelText = ({ job, clip: { model } }: CardInput): string =>
  model === undefined || model === job.model ? '' : `on ${model}`;

const attemptText = (clip: Clip): string =>
  clip.attempt > 1 || (clip.attempt === 1 && !isClipOver(clip.status))
    ? `attempt ${String(clip.attempt)} of ${String(clip.max_attempts)}`
    : '';

function progressBar(name: string): {
  element: HTMLElement;
  update(clip: Clip, live: ClipProgress | undefined): void;
} {
  const fill = h('span', { class: 'bar__fill' });
  const bar = h(
    'span',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-label': `${name}: progress`,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    fill,
  );
  const label = h('span', { class: 'quiet clip__percent' });
  const element = h('div', { class: 'clip__progress' }, bar, label);
  return {
    element,
    update(clip, live) {
      const active = clip.status === 'running' || clip.status === 'storing';
      show(element, active);
      if (!active) return;
      const value = clip.status === 'running' ? (live?.percent ?? null) : clip.percent;
      attribute(bar, 'data-status', clip.status);
      attribute(bar, 'data-unknown', value === null);
      attribute(bar, 'aria-valuenow', value === null ? null : Math.round(value));
      bar.style.setProperty('--percent', String(value ?? 0));
      const estimated = value !== null && live?.estimated === true && clip.status === 'running';
      attribute(bar, 'aria-valuetext', estimated ? `about ${percent(value)}, estimated` : null);
      setText(label, value === null ? '' : `${estimated ? '≈ ' : ''}${percent(value)}`);
      attribute(label, 'title', estimated ? 'Estimated from the usual time of this model' : null);
    },
  };
}

/** An estimate stands only for what is not paid yet: of what is paid at an unknown cost, the least is shown. */
function costFigure(clip: Clip): [value: string, note: string] {
  const unknown = unknownCosts(clip);
  if (unknown > 0) return [spent(clip.cost_usd, unknown), `${plural(unknown, 'cost')} unknown`];
  return clip.cost_usd === null
    ? [usd(clip.estimated_cost_usd), 'estimated']
    : [usd(clip.cost_usd), ''];
}

function factList(): { element: HTMLElement; update(clip: Clip): void; tick(clip: Clip): void } {
  const length = figure('Length');
  const cost = figure('Cost');
  const time = figure('Time');
  return {
    element: h(
      'dl',
      { class: 'figures figures--small' },
      length.element,
      cost.element,
      time.element,
    ),
    update(clip) {
      length.set(
        seconds(clip.actual_duration ?? clip.requested_duration),
        clip.actual_duration === null
          ? `asked, ${seconds(clip.target_duration)} wanted`
          : `of ${seconds(clip.requested_duration)} asked`,
      );
      attribute(length.element, 'title', clip.duration_reason);
      cost.set(...costFigure(clip));
    },
    tick(clip) {
      if (clip.started_at === null) time.set('—');
      else {
        const end = clip.completed_at === null ? now() : Date.parse(clip.completed_at);
        time.set(clock(clip.generation_time ?? (end - Date.parse(clip.started_at)) / 1000));
      }
    },
  };
}
