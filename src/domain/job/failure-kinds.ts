/**
 * The kinds of failure, and what each kind means: is another prediction tried, does the job stop starting
 * clips, and what a person is told. failures.ts maps a provider's message to a kind.
 */

/** `retry`: another prediction is tried automatically. `halts`: no further clip of the job is started. */
interface FailureRule {
  readonly retry: boolean;
  readonly halts: boolean;
  /** What went wrong, for a person. */
  readonly summary: string;
  /** What that person can do. */
  readonly advice: string;
}

const rule = (retry: boolean, summary: string, advice: string, halts = false): FailureRule => ({
  retry,
  halts,
  summary,
  advice,
});

export const FAILURES = {
  invalid_plan: rule(false, 'the plan has mistakes', 'Correct the plan and start it again.'),
  invalid_input: rule(
    false,
    'the model refused the input',
    'Change the prompt, image or settings of this clip.',
  ),
  invalid_reference: rule(
    false,
    'a reference image could not be used',
    'Give a reachable http(s) URL of an image.',
  ),
  flagged: rule(
    false,
    'the provider refused the content',
    'The provider refused the content; change the prompt or the images.',
  ),
  unauthorized: rule(
    false,
    'the provider refused the token',
    'Repair REPLICATE_API_TOKEN within the hour, then retry the clips: what had been paid is not paid again.',
    true,
  ),
  insufficient_credit: rule(
    false,
    'the account has no credit left',
    'Add credit or raise the spend limit at https://replicate.com/account/billing, then retry the clips.',
    true,
  ),
  rate_limited: rule(
    false,
    'the provider accepted no new prediction',
    'Retry the clip when the account is less busy; a larger clip_timeout waits for longer.',
  ),
  provider_error: rule(
    true,
    'the provider had a problem',
    'Retry the clip; if it persists, try another model.',
  ),
  no_output: rule(
    true,
    'the model returned no video',
    'Look at the prediction; retry the clip, or use another model.',
  ),
  wrong_duration: rule(
    true,
    'the video has the wrong length',
    'Retry the clip, or ask for a duration that the model keeps.',
  ),
  timed_out: rule(
    false,
    'it took too long',
    'Raise clip_timeout, or retry when the provider is faster.',
  ),
  output_lost: rule(
    false,
    'the provider deleted the file',
    'The provider deleted the file; retrying pays for a new one.',
  ),
  storage_error: rule(
    false,
    'the video could not be saved',
    'Free space in, or repair, DATA_DIR or the bucket, then retry the clip.',
    true,
  ),
  over_budget: rule(
    false,
    'it does not fit under the cost cap',
    'Raise max_cost_usd, then retry the clip.',
  ),
  unreachable: rule(
    false,
    'too many clips failed to reach the minimum',
    'Too many clips failed to reach min_successful_clips; retry them.',
  ),
  canceled: rule(false, 'canceled', 'Retry the clip if it is wanted after all.'),
  insufficient_clips: rule(false, 'too few clips succeeded', 'Retry the failed clips.'),
  internal: rule(
    false,
    'something broke in this program',
    'This is a defect of this program; please report it.',
  ),
} as const satisfies Record<string, FailureRule>;

export type FailureKind = keyof typeof FAILURES;

export const FAILURE_KINDS = Object.keys(FAILURES) as FailureKind[];

export const isFailureKind = (value: unknown): value is FailureKind =>
  typeof value === 'string' && Object.hasOwn(FAILURES, value);

/** A kind that a newer release has added: final, but for its own clip only (decision 55). */
const OF_NEWER_RELEASE = rule(
  false,
  'it failed',
  'This release does not know this kind of failure; its message and a newer release say more.',
);

/** What a kind means that another release may have written. */
export const ruleOf = (kind: string): FailureRule =>
  isFailureKind(kind) ? FAILURES[kind] : OF_NEWER_RELEASE;

/** A failure as the public job shows it: `Problem` of job.schema.ts. */
export const problem = (kind: FailureKind, message: string) => ({
  kind,
  message,
  retryable: ruleOf(kind).retry,
});

interface Said {
  kind: FailureKind;
  message: string;
}

/** Prefix of the message when the provider does not have the model (404, 410). Nothing was created. */
export const MODEL_UNAVAILABLE = 'model_unavailable';

export const isModelUnavailable = ({ kind, message }: Said): boolean =>
  kind === 'invalid_input' && message.startsWith(MODEL_UNAVAILABLE);

/** What a failed prediction means for its clip. `delay`: minimum seconds before the next attempt. */
export interface Verdict {
  kind: FailureKind;
  retry: boolean;
  delay?: number;
  /** Maximum number of predictions for this reason (`MAX_ATTEMPTS` when absent). */
  limit?: number;
}

/** Failure type of reading a prediction that the provider does not have. */
export const MISSING = 'Missing';

/** Failure type of an execution that was interrupted (paused, reset, timed out); never a failure of the clip. */
export const INTERRUPTED = 'Interrupted';

/** Failure type of a job whose plan was refused. */
export const INVALID_PLAN = 'InvalidPlan';

/** Message for an attempt that is not made; `last`: why the previous one failed. */
export const noLongerFits = (last: Said | null): string =>
  `the next attempt no longer fits max_cost_usd${last === null ? '' : `; last error: ${last.message}`}`;
