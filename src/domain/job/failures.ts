/**
 * A provider's message becomes a kind of failure here and nowhere else. Codes and texts: Replicate's documentation of
 * error codes, observed predictions; the families of words are in failure-words.ts. The kinds stand in a file of their own,
 * failure-kinds.ts: a workflow and a page need no words.
 */
import { clausesOf, cut } from './clauses.js';
import type { FailureKind, Verdict } from './failure-kinds.js';
import { says } from './failure-words.js';
import type { Family } from './failure-words.js';

export * from './failure-kinds.js';

/** A code of the provider's, or what the words are about. */
interface TextRule {
  readonly match: RegExp | Family;
  readonly verdict: Verdict;
}

const again = (kind: FailureKind, more: { delay?: number; limit?: number } = {}): Verdict => ({
  kind,
  retry: true,
  ...more,
});
const never = (kind: FailureKind): Verdict => ({ kind, retry: false });

/**
 * First match wins. A code stands in brackets: `(E005)`, `(code: PA)`; what follows it is a run's own id. A refusal
 * comes first, since another attempt is paid and refused again. What may pass comes before the input's fault: a time-out
 * while an image is fetched is not the image's, which was fetched and decoded before it was sent.
 */
const TEXT_RULES: readonly TextRule[] = [
  { match: /\(E005\)/i, verdict: never('flagged') },
  { match: 'refusal', verdict: never('flagged') },
  { match: /\(E006\)|the input was invalid/i, verdict: never('invalid_input') },
  { match: /\(E1001\)|cuda out of memory/i, verdict: never('invalid_input') },
  { match: /\(E4875\)/i, verdict: never('internal') },
  { match: /\(code: PA\)|prediction interrupted/i, verdict: again('provider_error') },
  { match: /\(E003\)/i, verdict: again('provider_error', { delay: 30 }) },
  { match: /\(E004\)/i, verdict: again('provider_error', { delay: 15 }) },
  { match: /queue reached limit/i, verdict: again('provider_error', { delay: 60 }) },
  { match: /failed to boot and complete setup/i, verdict: again('provider_error', { limit: 2 }) },
  { match: 'capacity', verdict: again('provider_error', { delay: 30 }) },
  { match: 'outage', verdict: again('provider_error', { delay: 15 }) },
  { match: 'transport', verdict: again('provider_error') },
  { match: 'reference', verdict: never('invalid_reference') },
  { match: 'input', verdict: never('invalid_input') },
  { match: 'again', verdict: again('provider_error') },
  { match: /^\s*(?:\w*Error|\w*Exception): /, verdict: never('invalid_input') },
  { match: /Traceback \(most recent call last\)/, verdict: never('invalid_input') },
];

/**
 * Takes a failed prediction's free text to a verdict; anything unknown may be tried again. `echoes` are strings of the
 * clip's own input: where the text repeats them, they are not the provider's words.
 */
export function judgeText(text: string | null, echoes: readonly string[] = []): Verdict {
  const read = cut(text ?? '');
  const clauses = clausesOf(read, echoes);
  const rule = TEXT_RULES.find(({ match }) =>
    typeof match === 'string' ? says(match, clauses) : match.test(read),
  );
  return rule?.verdict ?? again('provider_error');
}

/** What a create that was refused (a 4xx) is, when its words say more than its status does. */
export function judgeRefusedCreate(text: string, kind: FailureKind): FailureKind {
  const clauses = clausesOf(text);
  if (says('refusal', clauses)) return 'flagged';
  return kind === 'invalid_input' && says('reference', clauses) ? 'invalid_reference' : kind;
}
