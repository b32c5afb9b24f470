/**
 * Is a webhook the provider's own? The account's secret is asked for when the first webhook comes, and kept.
 *
 * WEBHOOK-1 a signature that does not match makes it ask for the secret once more, because secrets are rotated, but at most
 *    every ten seconds, however many forgeries come.
 * WEBHOOK-2 the time of a signature is by the provider's clock, which is known once the provider has answered anything. For a
 *    webhook before that, the secret is asked for first, and the answer tells the time.
 */
import type { ProviderClock } from '../../adapters/replicate/provider-clock.js';
import type { SecretOutcome } from '../../adapters/replicate/replicate-client.js';
import { isAuthentic, isSignature, isTimely } from '../../adapters/replicate/webhook-signature.js';
import type { SignedWebhook, WebhookHeaders } from '../../adapters/replicate/webhook-signature.js';

/** `unknown`: the secret cannot be fetched right now. */
export type WebhookVerdict = 'authentic' | 'forged' | 'unknown';

export type CheckWebhook = (webhook: SignedWebhook) => Promise<WebhookVerdict>;

const ASK_INTERVAL_MS = 10_000;

type Clock = Pick<ProviderClock, 'ahead' | 'error'>;
const OWN: Clock = { ahead: 0, error: 0 };

/** WEBHOOK-2: the provider's time now; the webhook's own while no other is known. */
const timeFor = ({ timestamp }: WebhookHeaders, now: number, clock: Clock): number =>
  clock.error === Infinity ? Number(timestamp) * 1000 : now + clock.ahead;

/** Could it be the provider's? Answered before the body is read. */
export type CheckHeaders = (webhook: WebhookHeaders) => boolean;

export const createHeaderCheck =
  (now: () => number = Date.now, clock: Clock = OWN): CheckHeaders =>
  (webhook) =>
    isTimely(webhook, timeFor(webhook, now(), clock)) && isSignature(webhook.signature);

export function createWebhookCheck(
  fetchSecret: () => Promise<SecretOutcome>,
  now: () => number = Date.now,
  clock: Clock = OWN,
): CheckWebhook {
  let secret: string | null = null;
  let asked = -Infinity;
  let asking: Promise<void> | null = null;

  const ask = async (): Promise<void> => {
    asked = now();
    const outcome = await fetchSecret();
    if (outcome.type === 'found') secret = outcome.secret;
  };
  const verdict = (webhook: SignedWebhook): WebhookVerdict => {
    if (secret === null) return 'unknown';
    return isAuthentic(webhook, secret, now() + clock.ahead) ? 'authentic' : 'forged';
  };

  return async (webhook) => {
    if (!isTimely(webhook, timeFor(webhook, now(), clock))) return 'forged';
    const first = verdict(webhook);
    if (first === 'authentic') return first;
    if (asking === null && now() - asked < ASK_INTERVAL_MS) return first; // WEBHOOK-1
    asking ??= ask().finally(() => (asking = null));
    await asking;
    return verdict(webhook);
  };
}
