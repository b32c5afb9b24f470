/** How an ended prediction is to be taken: null when it succeeded with an output. */
import { judgeText } from '../domain/failures.js';
import type { Verdict } from '../domain/failures.js';
import type { ProviderPrediction } from '../adapters/replicate.js';

export function judge(last: ProviderPrediction): (Verdict & { message: string }) | null {
  const where = ` (${last.web_url})`;
  switch (last.status) {
    case 'succeeded':
      if (last.output_url !== null) return null;
      return last.data_removed
        ? {
            kind: 'output_lost',
            retry: false,
            message: `the provider has deleted the output${where}`,
          }
        : { kind: 'no_output', retry: true, message: `succeeded without an output${where}` };
    case 'failed': {
      const said = last.error?.trim();
      return {
        ...judgeText(said ?? null),
        message: `${said === undefined || said === '' ? 'failed without a reason' : said}${where}`,
      };
    }
    case 'aborted':
      return { kind: 'provider_error', retry: true, message: `aborted before it ran${where}` };
    case 'canceled':
      return isPast(last.deadline)
        ? {
            kind: 'timed_out',
            retry: false,
            message: `ended by its deadline at the provider${where}`,
          }
        : {
            kind: 'canceled',
            retry: false,
            message: `canceled at the provider, not by this job${where}`,
          };
    case 'starting':
    case 'processing':
      throw new Error(`expected an ended prediction, got ${last.status}`);
  }
}

const isPast = (time: string | null): boolean => time !== null && Date.parse(time) <= Date.now();
