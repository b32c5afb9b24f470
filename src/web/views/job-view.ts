/**
 * A job's page: one stream in, folded by the store, drawn by header, controls and cards. It survives
 * reload (the address is the job), a lost API, absent workers and a sleeping laptop.
 */
import { say, sayEvent } from '../announce.js';
import { fold, openedWith, type FollowedJob } from '../../client/followed-job.js';
import type { FollowItem } from '../../client/follow-events.js';
import type { Job, ModelRow } from '../../client/wire.js';
import { api, needKey } from '../api-client.js';
import { attribute, h, keyed } from '../dom.js';
import type { Health } from '../health.js';
import { isStarted, isClipOver, isOver } from '../../domain/job/progress.js';
import { openStream, type StreamState } from '../stream.js';
import { clipCard, type CardInput, type ClipCard } from './clip-card.js';
import { clipFilter } from './clip-filter.js';
import { jobControls } from './job-controls.js';
import { jobHeader } from './job-header.js';
import type { Situation } from './notices.js';
import type { View } from './plan-form.js';

interface JobViewContext {
  health: Health;
  notify(situation: Situation): void;
  openJob: (jobId: string) => void;
}

export function jobView(jobId: string, context: JobViewContext): View {
  /** Null until the first snapshot. */
  let state: FollowedJob | null = null;
  let connection: StreamState = { kind: 'connecting' };
  let models: ModelRow[] = [];
  let drawing = false;
  const cards = new Map<number, ClipCard>();

  const controls = jobControls({
    onChanged: () => {
      stream.nudge();
    },
    openJob: context.openJob,
  });
  const header = jobHeader(controls.element);
  const filter = clipFilter();
  const grid = h('ul', { class: 'clips', 'aria-label': 'Clips', 'data-filter': 'all' });
  const message = h('p', { class: 'opening', role: 'status', text: 'Opening the job…' });
  const element = h('article', { class: 'job', 'data-job-id': jobId }, message);
  const drawCards = keyed<CardInput>(
    grid,
    ({ clip }) => clip.clip_index,
    (input) => {
      const card = clipCard(input);
      cards.set(input.clip.clip_index, card);
      return card;
    },
  );

  const usualTime = (job: Job): number | null =>
    models.find(({ id }) => id === job.model)?.usual_time ?? null;

  const notify = (): void => {
    context.notify({
      stream: connection,
      readiness: context.health.latest(),
      stale: state?.job.stale === true,
      isRunning: state !== null && !isOver(state.job.status),
      simulated: state?.job.simulated ?? context.health.latest()?.simulated ?? false,
    });
    if (state !== null) header.showLink(state.job, context.health.latest());
  };

  const draw = (): void => {
    drawing = false;
    if (state === null) return;
    const { job, live } = state;
    if (message.isConnected) element.replaceChildren(header.element, filter.element(grid), grid);
    attribute(element, 'data-job-status', job.status);
    attribute(element, 'data-seq', job.seq);
    document.title = `${job.successful_clips === job.total_clips ? '✓' : `${String(Math.round(job.percent))} %`} ${job.job_id}`;
    header.update(job);
    header.tick(job, usualTime(job));
    controls.update(job);
    drawCards(job.clips.map((clip) => ({ job, clip, live: live.get(clip.clip_index) })));
    notify();
  };
  /** However many frames arrive at once, the page is drawn once. A hidden tab has no animation frames, hence the timer. */
  const drawSoon = (): void => {
    if (drawing) return;
    drawing = true;
    setTimeout(draw, 16);
  };

  const take = (item: FollowItem): void => {
    if (state !== null) state = fold(state, item);
    else if (item.kind === 'snapshot') state = openedWith(item.job);
    drawSoon();
  };

  const stream = openStream({
    job_id: jobId,
    position: () => state?.job.seq ?? null,
    onUnauthorized: needKey,
    onState(next) {
      const regained = connection.kind === 'lost' && next.kind === 'open';
      // Between two tries the page keeps saying that the connection is lost.
      if (!(connection.kind === 'lost' && next.kind === 'connecting')) connection = next;
      if (next.kind === 'refused' && state === null)
        message.textContent = refusedText(next.status, jobId);
      if (regained) say('Connected again');
      if (next.kind === 'lost') void context.health.check();
      notify();
    },
    onItem(item) {
      if (item.kind === 'event' && state !== null && item.event.seq > state.job.seq)
        sayEvent(item.event);
      take(item);
    },
  });

  const ticking = setInterval(() => {
    if (state === null || isOver(state.job.status)) return;
    const { job } = state;
    header.tick(job, usualTime(job));
    for (const clip of job.clips) {
      if (isStarted(clip) && !isClipOver(clip.status)) cards.get(clip.clip_index)?.tick();
    }
  }, 500);
  /** After an absence of workers: what no worker could confirm is asked again. */
  const refresh = async (): Promise<void> => {
    if (state?.job.stale !== true || context.health.latest()?.ready !== true) return;
    const answer = await api.job(jobId);
    if (!answer.ok || answer.value.seq < state.job.seq) return;
    take({ kind: 'snapshot', job: answer.value });
  };
  const unlisten = context.health.listen(() => {
    notify();
    void refresh();
  });
  const wake = (): void => {
    if (connection.kind === 'lost') stream.nudge();
  };
  window.addEventListener('online', wake);
  void api.models().then((answer) => {
    if (answer.ok) models = answer.value;
  });

  return {
    element,
    close() {
      clearInterval(ticking);
      controls.close();
      for (const card of cards.values()) card.close();
      unlisten();
      window.removeEventListener('online', wake);
      stream.close();
    },
  };
}

const refusedText = (status: number, jobId: string): string =>
  status === 404
    ? `There is no job "${jobId}", or the server no longer keeps it.`
    : `The server refused to show this job (${String(status)}).`;
