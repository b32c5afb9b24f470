/**
 * Queries and signals of the job. In place before the first await, so that no early one is missed; those that
 * need a checked plan wait for it. What makes no sense becomes a warning, never a crash: a handler that threw
 * would stop the workflow.
 */
import { setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { problem } from '../domain/job/failure-kinds.js';
import * as contract from '../contract/workflow.js';
import type { Asked } from './clip-run.js';
import type { Dispatcher } from './dispatcher.js';
import type { JobLog } from './job-log.js';
import type { JobState } from './job-state.js';
import {
  asClipIndex,
  asSeenEnd,
  asTime,
  asUsd,
  isAttemptFailed,
  isClipAsked,
  isPredictionCreated,
  isProviderRefuses,
  isRateLimited,
} from './signal-input.js';

type Told = Pick<contract.PredictionCreated, 'asked_at' | 'model'>;
type Act = (job: JobState, dispatcher: Dispatcher) => void;

export interface Messages {
  /** The plan is checked: what came early is taken now, and what comes is taken at once. */
  open(job: JobState, dispatcher: Dispatcher): void;
}

export function handleMessages(log: JobLog): Messages {
  let ready: { job: JobState; dispatcher: Dispatcher } | null = null;
  const early: Act[] = [];
  const whenReady = (act: Act): void => {
    if (ready === null) early.push(act);
    else act(ready.job, ready.dispatcher);
  };

  setHandler(contract.progressQuery, () => log.snapshot());
  setHandler(contract.eventsQuery, (after) => log.page(after));
  setHandler(contract.clipsQuery, (from) => log.clips(from));
  setHandler(contract.clipMemoryQuery, (index) => {
    if (ready === null) throw new Error('expected a checked plan');
    return ready.dispatcher.memory(index);
  });
  for (const [name, act] of Object.entries(SIGNALS)) {
    setHandler(contract.signalNamed(name), (input) => {
      whenReady((job, dispatcher) => {
        act(input, job, dispatcher);
      });
    });
  }
  setDefaultSignalHandler((name) => {
    whenReady(() => {
      log.warn(`expected a known signal, got "${name}"; it was ignored`);
    });
  });

  return {
    open(job, dispatcher) {
      ready = { job, dispatcher };
      for (const act of early.splice(0)) act(job, dispatcher);
    },
  };
}

type Take = (input: unknown, job: JobState, dispatcher: Dispatcher) => void;

/** From people, and, with the last five, from the worker's own activity. */
const SIGNALS: Record<string, Take> = {
  cancelClip: (input, _, dispatcher) => {
    dispatcher.cancelClip(asClipIndex(input));
  },
  retryClip: (input, _, dispatcher) => {
    dispatcher.retryClip(asClipIndex(input), asSeenEnd(input));
  },
  setMaxCost: (input, _, dispatcher) => {
    dispatcher.setMaxCost(asUsd(input));
  },
  pause: (_, job) => {
    if (job.isPaused) job.senseless('pause', 'a job that is not paused');
    else job.log.record({ type: 'job.paused' });
  },
  resume: (_, job) => {
    if (job.isPaused) job.log.record({ type: 'job.resumed' });
    else job.senseless('resume', 'a paused job');
  },
  predictionCreated: ours('predictionCreated', isPredictionCreated, (told, _, dispatcher) => {
    dispatcher.onPredictionCreated(told.clip_index, told.prediction, askedIn(told));
  }),
  attemptFailed: ours('attemptFailed', isAttemptFailed, (told, _, dispatcher) => {
    const { clip_index, asked_at: _at, model: _model, ...over } = told;
    dispatcher.onAttemptFailed(clip_index, over, askedIn(told));
  }),
  rateLimited: ours('rateLimited', isRateLimited, (told, _, dispatcher) => {
    dispatcher.onRateLimited(told);
  }),
  clipAsked: ours('clipAsked', isClipAsked, (told, _, dispatcher) => {
    dispatcher.onAsked(told.clip_index, told.asked_at);
  }),
  providerRefuses: ours('providerRefuses', isProviderRefuses, ({ kind, message }, job) => {
    job.haltFor(problem(kind, message));
  }),
};

const askedIn = ({ asked_at, model }: Told): Asked => ({ at: asTime(asked_at), model });

function ours<T>(
  name: string,
  isOurs: (input: unknown) => input is T,
  take: (told: T, job: JobState, dispatcher: Dispatcher) => void,
): Take {
  return (input, job, dispatcher) => {
    if (isOurs(input)) take(input, job, dispatcher);
    else job.senseless(name, "what the worker's own activity sends");
  };
}
