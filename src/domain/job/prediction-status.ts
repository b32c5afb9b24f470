/** Which of Replicate's words for a prediction's state mean that it is over, and how long it keeps one. Pure. */
import type { PredictionStatus } from './job.schema.js';

const TERMINAL: ReadonlySet<PredictionStatus> = new Set([
  'succeeded',
  'failed',
  'canceled',
  'aborted',
]);

/** Seconds for which the provider keeps input and file of a prediction after its end. */
export const RETENTION = 3600;

export const isTerminal = (status: PredictionStatus): boolean => TERMINAL.has(status);
