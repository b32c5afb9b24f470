/** Which of Replicate's words for a prediction's state mean that it is over. Pure; the one list of them. */
import type { PredictionStatus } from './job.js';

const TERMINAL: ReadonlySet<PredictionStatus> = new Set([
  'succeeded',
  'failed',
  'canceled',
  'aborted',
]);

export const isTerminal = (status: PredictionStatus): boolean => TERMINAL.has(status);
