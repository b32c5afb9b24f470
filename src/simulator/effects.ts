/**
 * The vocabulary of faults: the points at which something can go wrong, and what can happen there. Data only;
 * `faults.ts` combines it into rows, the routes carry it out.
 */
import type { Outcome } from './lifecycle.js';
import type { Answer } from './refusals.js';

/** Where requests and predictions can be held until a control call releases them. */
export const HOLD_POINTS = [
  'before-accept',
  'after-accept',
  'while-starting',
  'while-processing',
  'while-unlisted',
  'before-poll',
  'before-cancel',
  'before-list',
  'before-file',
] as const;
export type HoldPoint = (typeof HOLD_POINTS)[number];

/** `accept` rows shape the prediction itself when it is accepted; `content` rows the bytes of its file. */
export type FaultPoint =
  'before-accept' | 'accept' | 'after-accept' | 'poll' | 'list' | 'cancel' | 'file' | 'content';

/** What happens to a request. */
export type RequestEffect =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'delay'; seconds: number }
  | { kind: 'hold'; point: HoldPoint }
  | { kind: 'hang' }
  | { kind: 'reset' }
  | { kind: 'garble' }
  | { kind: 'cut' };

/** How an output holds the file. `late`: null when the end is read for the first time. */
export type OutputShape =
  | 'string'
  | 'array'
  | 'object'
  | 'nested'
  | 'among-others'
  | 'data'
  | 'data-escaped'
  | 'late'
  | 'odd'
  | 'text'
  | 'none'
  | 'empty';

/** What happens to a prediction. `after` is the share of its usual time that passes before. */
export type RunEffect =
  | { kind: 'outcome'; outcome: Outcome; after: number }
  | { kind: 'hold_run'; phase: 'starting' | 'processing' }
  | { kind: 'stuck'; phase: 'starting' | 'processing' }
  | { kind: 'render'; seconds: number }
  | { kind: 'output'; output: OutputShape }
  | { kind: 'unmetered' }
  | { kind: 'unlisted'; seconds: number }
  | { kind: 'hold_listing' }
  | { kind: 'echo_defaults' }
  | { kind: 'echo_files' }
  | { kind: 'echo_model' }
  | { kind: 'duration'; factor: number }
  | { kind: 'expire' };

/** What happens to a download. */
export type FileEffect =
  | { kind: 'truncate' }
  | { kind: 'shorten' }
  | { kind: 'empty' }
  | { kind: 'corrupt' }
  | { kind: 'trickle'; seconds: number }
  | { kind: 'html' }
  | { kind: 'gzip' }
  | { kind: 'webm' }
  | { kind: 'hostile'; by: 'samples' | 'boxes' }
  | { kind: 'oversize' }
  | { kind: 'redirect' };

export type Effect = RequestEffect | RunEffect | FileEffect;
