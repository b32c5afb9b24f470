/**
 * What a control call may change while the simulator runs, with the provider's own figures as defaults.
 * Limits that clients count in real seconds (retention, the longest run) are not divided by `speed`.
 */
export interface Settings {
  /** Divides queue and render times of predictions created from now on. */
  speed: number;
  /** Provider seconds that a prediction waits before it runs; models are warm here. */
  queue_seconds: number;
  /** What happens to a name inside `input` that the model does not have. */
  unknown_inputs: 'reject' | 'ignore';
  /** What the account may still spend from the moment this is set; null: without end. */
  credit_usd: number | null;
  /** Every request is refused as one without a token. */
  token_revoked: boolean;
  /** 6 creates a minute, one at a time. */
  low_credit: boolean;
  creates_per_minute: number;
  requests_per_minute: number;
  /** Seconds after the end until input, output, logs and files are gone. */
  retention: number;
  /** Seconds after which the platform stops a run. */
  run_limit: number;
  list_page_size: number;
  /** Do items of the listing show `webhook`? */
  list_webhook: boolean;
  /** Seconds that a cancel takes to become true. */
  cancel_delay: number;
  /** Output appears while the status is still `processing`, for this share of the run. */
  early_output_share: number;
  webhooks: 'normal' | 'duplicate' | 'out_of_order' | 'lost';
  /** Does `completed` come for an aborted prediction? */
  webhook_for_aborted: boolean;
  /** The longer side of rendered clips, in pixels. */
  clip_max_width: number;
  /** All predictions of a length and size have the same file: rendered once, it costs the machine nothing more. */
  one_clip: boolean;
  /** Milliseconds by which the provider's clock is ahead of this machine's, in everything it says and is asked. */
  clock_offset_ms: number;
}

export const DEFAULT_SETTINGS: Omit<Settings, 'speed'> = {
  queue_seconds: 1,
  unknown_inputs: 'reject',
  credit_usd: null,
  token_revoked: false,
  low_credit: false,
  creates_per_minute: 600,
  requests_per_minute: 3000,
  retention: 3600,
  run_limit: 1800,
  list_page_size: 100,
  list_webhook: true,
  cancel_delay: 0,
  early_output_share: 0,
  webhooks: 'normal',
  webhook_for_aborted: false,
  clip_max_width: 640,
  one_clip: false,
  clock_offset_ms: 0,
};

type Check = (value: unknown) => boolean;
const numberFrom =
  (least: number, most = Infinity): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    typeof value === 'string' && words.includes(value);
const isBoolean: Check = (value) => typeof value === 'boolean';

const CHECKS: Record<keyof Settings, Check> = {
  speed: numberFrom(0.001, 1e6),
  queue_seconds: numberFrom(0),
  unknown_inputs: oneOf('reject', 'ignore'),
  credit_usd: (value) => value === null || numberFrom(0)(value),
  token_revoked: isBoolean,
  low_credit: isBoolean,
  creates_per_minute: numberFrom(1),
  requests_per_minute: numberFrom(1),
  retention: numberFrom(0),
  run_limit: numberFrom(0),
  list_page_size: numberFrom(1, 1000),
  list_webhook: isBoolean,
  cancel_delay: numberFrom(0),
  early_output_share: numberFrom(0, 1),
  webhooks: oneOf('normal', 'duplicate', 'out_of_order', 'lost'),
  webhook_for_aborted: isBoolean,
  clip_max_width: numberFrom(64, 1920),
  one_clip: isBoolean,
  clock_offset_ms: numberFrom(-1e12, 1e12),
};

/** The names in a change that are unknown or have an impossible value; empty when it can be applied. */
export const refusedSettings = (change: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(change).flatMap(([name, value]) =>
    Object.hasOwn(CHECKS, name) && CHECKS[name as keyof Settings](value) ? [] : [name],
  );
