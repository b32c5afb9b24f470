/**
 * Queries and signals of the job. In place before the first await, so that no early one is missed; those that
 * need a checked plan wait for it. What makes no sense becomes a warning, never a crash: a handler that threw
 * would stop the workflow.
 */
import { setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import * as contract from './contract.js';
import type { Dispatcher } from './dispatcher.js';
import type { JobLog } from './job-log.js';
import {
  asClipIndex,
  asSeenEnd,
  asUsd,
  isAttemptFailed,
  isPredictionCreated,
  isRateLimited,
} from './signal-input.js';

export type WhenReady = (act: (dispatcher: Dispatcher) => void) => void;

export function handleMessages(
  log: JobLog,
  running: () => Dispatcher | null,
  whenReady: WhenReady,
): void {
  setHandler(contract.progressQuery, () => log.snapshot());
  setHandler(contract.eventsQuery, (after) => log.page(after));
  setHandler(contract.clipsQuery, (from) => log.clips(from));
  setHandler(contract.clipMemoryQuery, (index) => {
    const dispatcher = running();
    if (dispatcher === null) throw new Error('expected a checked plan');
    return dispatcher.memory(index);
  });

  const actions: Record<string, (dispatcher: Dispatcher, input: unknown) => void> = {
    cancelClip: (dispatcher, input) => {
      dispatcher.cancelClip(asClipIndex(input));
    },
    retryClip: (dispatcher, input) => {
      dispatcher.retryClip(asClipIndex(input), asSeenEnd(input));
    },
    setMaxCost: (dispatcher, input) => {
      dispatcher.setMaxCost(asUsd(input));
    },
    pause: (dispatcher) => {
      dispatcher.pause();
    },
    resume: (dispatcher) => {
      dispatcher.resume();
    },
    predictionCreated: (dispatcher, input) => {
      if (isPredictionCreated(input)) dispatcher.onPredictionCreated(input);
      else senseless(log, 'predictionCreated');
    },
    attemptFailed: (dispatcher, input) => {
      if (isAttemptFailed(input)) dispatcher.onAttemptFailed(input);
      else senseless(log, 'attemptFailed');
    },
    rateLimited: (dispatcher, input) => {
      if (isRateLimited(input)) dispatcher.onRateLimited(input);
      else senseless(log, 'rateLimited');
    },
  };
  for (const [name, act] of Object.entries(actions)) {
    setHandler(contract.signalNamed(name), (input) => {
      whenReady((dispatcher) => {
        act(dispatcher, input);
      });
    });
  }
  setDefaultSignalHandler((name) => {
    whenReady(() => {
      log.warn(`expected a known signal, got "${name}"; it was ignored`);
    });
  });
}

const senseless = (log: JobLog, signal: string): void => {
  log.warn(`signal ${signal}: expected what the worker's own activity sends; it was ignored`);
};
