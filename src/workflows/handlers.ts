/**
 * Queries and signals of the job. They are registered before the first await, so that no early one is missed; signals that
 * need a checked plan are buffered until there is one. A signal whose input is wrong becomes a warning, never a crash: a
 * handler that threw would stop the workflow.
 */
import { setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import * as contract from '../contract/workflow.js';
import { problem } from '../domain/job/failure-kinds.js';
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

type Handle = (input: unknown, job: JobState, dispatcher: Dispatcher) => void;
type Action = (job: JobState, dispatcher: Dispatcher) => void;

export interface Handlers {
  /** The plan is checked: buffered signals are handled now, later ones at once. */
  open(job: JobState, dispatcher: Dispatcher): void;
}

export function registerHandlers(log: JobLog): Handlers {
  let opened: { job: JobState; dispatcher: Dispatcher } | null = null;
  const buffered: Action[] = [];
  const whenOpen = (action: Action): void => {
    if (opened === null) buffered.push(action);
    else action(opened.job, opened.dispatcher);
  };

  setHandler(contract.progressQuery, () => log.snapshot());
  setHandler(contract.eventsQuery, (after) => log.page(after));
  setHandler(contract.clipsQuery, (from) => log.clips(from));
  setHandler(contract.clipMemoryQuery, (index) => {
    if (opened === null) throw new Error('expected a checked plan');
    return opened.dispatcher.memory(index);
  });
  for (const [name, handle] of Object.entries(SIGNALS)) {
    setHandler(contract.signalNamed(name), (input) => {
      whenOpen((job, dispatcher) => {
        handle(input, job, dispatcher);
      });
    });
  }
  setDefaultSignalHandler((name) => {
    whenOpen(() => {
      log.warn(`expected a known signal, got "${name}"; it was ignored`);
    });
  });

  return {
    open(job, dispatcher) {
      opened = { job, dispatcher };
      for (const action of buffered.splice(0)) action(job, dispatcher);
    },
  };
}

/** The last five come from the paid activity, the others from people and programs. */
const SIGNALS: Record<string, Handle> = {
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
    if (job.isPaused) job.rejectSignal('pause', 'a job that is not paused');
    else job.log.record({ type: 'job.paused' });
  },
  resume: (_, job) => {
    if (job.isPaused) job.log.record({ type: 'job.resumed' });
    else job.rejectSignal('resume', 'a paused job');
  },
  predictionCreated: fromActivity(
    'predictionCreated',
    isPredictionCreated,
    (told, _, dispatcher) => {
      dispatcher.onPredictionCreated(told.clip_index, told.prediction, askedIn(told));
    },
  ),
  attemptFailed: fromActivity('attemptFailed', isAttemptFailed, (told, _, dispatcher) => {
    const { clip_index, asked_at: _at, model: _model, ...over } = told;
    dispatcher.onAttemptFailed(clip_index, over, askedIn(told));
  }),
  rateLimited: fromActivity('rateLimited', isRateLimited, (told, _, dispatcher) => {
    dispatcher.onRateLimited(told);
  }),
  clipAsked: fromActivity('clipAsked', isClipAsked, (told, _, dispatcher) => {
    dispatcher.onAsked(told.clip_index, told.asked_at);
  }),
  providerRefuses: fromActivity('providerRefuses', isProviderRefuses, ({ kind, message }, job) => {
    job.haltFor(problem(kind, message));
  }),
};

const askedIn = ({
  asked_at,
  model,
}: Pick<contract.PredictionCreated, 'asked_at' | 'model'>): Asked => ({
  at: asTime(asked_at),
  model,
});

function fromActivity<T>(
  name: string,
  isExpected: (input: unknown) => input is T,
  handle: (told: T, job: JobState, dispatcher: Dispatcher) => void,
): Handle {
  return (input, job, dispatcher) => {
    if (isExpected(input)) handle(input, job, dispatcher);
    else job.rejectSignal(name, "what the worker's own activity sends");
  };
}
