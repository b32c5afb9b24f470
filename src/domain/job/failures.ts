/**
 * The only place that maps a provider's message to a kind of failure. Sources of codes and texts: Replicate's documentation
 * of error codes, and observed predictions. Families of words are in failure-words.ts. The kinds are in failure-kinds.ts,
 * because workflows and the page need no words.
 */
import { clausesOf, cut } from './clauses.js';
import type { FailureKind, Verdict } from './failure-kinds.js';
import { mentions } from './failure-words.js';
import type { Family } from './failure-words.js';

export * from './failure-kinds.js';

/** `match`: an error code of the provider, or a family of words. */
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
 * The first match wins, so the order of the rows counts. A code is in brackets, `(E005)` or `(code: PA)`; the id of the run follows it. Refusals come first:
 * another attempt would be paid and refused again. Temporary causes come before faults of the input: a time-out while an
 * image is fetched is not the fault of the image, which was fetched and decoded before it was sent.
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
 * The verdict on a failed prediction's free text; an unknown text is tried again. `inputTexts` are strings of the clip's
 * own input: where the text quotes them, they are not the provider's words.
 */
export function judgeText(text: string | null, inputTexts: readonly string[] = []): Verdict {
  const read = cut(text ?? '');
  const clauses = clausesOf(read, inputTexts);
  const rule = TEXT_RULES.find(({ match }) =>
    typeof match === 'string' ? mentions(match, clauses) : match.test(read),
  );
  return rule?.verdict ?? again('provider_error');
}

/** A refused create that says that the account may spend no more, whatever its status. */
export const judgeAccount = (text: string): FailureKind | null =>
  /spend limit/i.test(text) ? 'insufficient_credit' : null;

/** The kind of a refused create (a 4xx), where its words tell more than its status. */
export function judgeRefusedCreate(text: string, kind: FailureKind): FailureKind {
  const clauses = clausesOf(text);
  if (mentions('refusal', clauses)) return 'flagged';
  return kind === 'invalid_input' && mentions('reference', clauses) ? 'invalid_reference' : kind;
}
