/** Which states of a prediction are terminal, and how long Replicate keeps one. Pure. */
import type { PredictionStatus } from './job.schema.js';

const TERMINAL: ReadonlySet<PredictionStatus> = new Set([
  'succeeded',
  'failed',
  'canceled',
  'aborted',
]);

/** Seconds for which the provider keeps the input and the file of a finished prediction. */
export const RETENTION = 3600;

export const isTerminal = (status: PredictionStatus): boolean => TERMINAL.has(status);
