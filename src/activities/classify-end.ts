/** How an ended prediction is to be taken. */
import { judgeText } from '../domain/job/failures.js';
import type { Verdict } from '../domain/job/failures.js';
import type { ProviderPrediction } from '../adapters/replicate/replicate-client.js';

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
      if (last.data_removed) {
        return over({ kind: 'output_lost', retry: false }, 'the provider has deleted the output');
      }
      // A model that answers in a shape of its own answers the next prediction in the same.
      return last.output.type === 'odd'
        ? over({ kind: 'no_output', retry: false }, oddOutput(last.output.says))
        : over({ kind: 'no_output', retry: true }, 'succeeded without an output');
    case 'failed': {
      const said = last.error?.trim() ?? '';
      const echoes = Object.values(last.input).filter((value) => typeof value === 'string');
      return over(judgeText(said, echoes), said === '' ? 'failed without a reason' : said);
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

const oddOutput = (says: string): string =>
  `succeeded, and no video was found in its output: expected an http(s) or data: URL of a video, got ${says}`;

/** Both times are the provider's. */
const isPast = ({ deadline, completed_at }: ProviderPrediction, now: number): boolean =>
  deadline !== null &&
  Date.parse(deadline) <= (completed_at === null ? now : Date.parse(completed_at) + 1_000);
