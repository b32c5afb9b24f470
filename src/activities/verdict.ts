/** How an ended prediction is to be taken. */
import { judgeText } from '../domain/failures.js';
import type { Verdict } from '../domain/failures.js';
import type { ProviderPrediction } from '../adapters/replicate.js';

export type Judged =
  { type: 'rendered'; output_url: string } | ({ type: 'over'; message: string } & Verdict);

/** `now`: the provider's time, for an end that does not say when it came. */
export function judge(last: ProviderPrediction, now: number): Judged {
  const over = (verdict: Verdict, said: string): Judged => ({
    type: 'over',
    ...verdict,
    message: `${said} (${last.web_url})`,
  });
  switch (last.status) {
    case 'succeeded':
      if (last.output_url !== null) return { type: 'rendered', output_url: last.output_url };
      return last.data_removed
        ? over({ kind: 'output_lost', retry: false }, 'the provider has deleted the output')
        : over({ kind: 'no_output', retry: true }, 'succeeded without an output');
    case 'failed': {
      const said = last.error?.trim() ?? '';
      return over(judgeText(said), said === '' ? 'failed without a reason' : said);
    }
    case 'aborted':
      return over({ kind: 'provider_error', retry: true }, 'aborted before it ran');
    case 'canceled':
      return isPast(last, now)
        ? over({ kind: 'timed_out', retry: false }, 'ended by its deadline at the provider')
        : over({ kind: 'canceled', retry: false }, 'canceled at the provider, not by this job');
    case 'starting':
    case 'processing':
      throw new Error(`expected an ended prediction, got ${last.status}`);
  }
}

/** Both times are the provider's. */
const isPast = ({ deadline, completed_at }: ProviderPrediction, now: number): boolean =>
  deadline !== null &&
  Date.parse(deadline) <= (completed_at === null ? now : Date.parse(completed_at) + 1_000);
