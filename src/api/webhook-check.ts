/**
 * Is a webhook the provider's own? The account's secret is asked for when the first webhook comes, and kept.
 *
 * C1 a signature that does not match makes it ask once more, for secrets are rotated; but no flood of forgeries
 *    makes it ask more often than every ten seconds.
 */
import type { SecretOutcome } from '../adapters/replicate.js';
import { isAuthentic, isTimely } from '../adapters/webhook-signature.js';
import type { SignedWebhook } from '../adapters/webhook-signature.js';

/** `unknown`: the secret cannot be had right now, so that nobody can tell. */
export type WebhookVerdict = 'authentic' | 'forged' | 'unknown';

export type CheckWebhook = (webhook: SignedWebhook) => Promise<WebhookVerdict>;

const PATIENCE = 10_000;

export function createWebhookCheck(
  fetchSecret: () => Promise<SecretOutcome>,
  now: () => number = Date.now,
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
    return isAuthentic(webhook, secret, now()) ? 'authentic' : 'forged';
  };

  return async (webhook) => {
    if (!isTimely(webhook, now())) return 'forged';
    const first = verdict(webhook);
    if (first === 'authentic') return first;
    if (asking === null && now() - asked < PATIENCE) return first; // C1
    asking ??= ask().finally(() => (asking = null));
    await asking;
    return verdict(webhook);
  };
}
