/** What a provider's free text means: is it worth another prediction, after how long, and how many in all. */
import { describe, expect, it } from 'vitest';
import { FAILURE_KINDS, FAILURES, judgeText, problem } from '../../../src/domain/job/failures.js';
import type { Verdict } from '../../../src/domain/job/failures.js';

const never = (kind: Verdict['kind']): Verdict => ({ kind, retry: false });
const again = (more: Pick<Verdict, 'delay' | 'limit'> = {}): Verdict => ({
  kind: 'provider_error',
  retry: true,
  ...more,
});

describe('the message of a failed prediction', () => {
  it.each<[string, Verdict]>([
    // As Replicate sends it, then each half of the rule alone: the code without its words, the words without it.
    [
      'The input or output was flagged as sensitive. Please try again with different inputs. (E005) (a1B2c3D4e5)',
      never('flagged'),
    ],
    ['No. (E005)', never('flagged')],
    ['The output was Flagged as Sensitive', never('flagged')],
    ['NSFW content detected. Try running it again, or try a different prompt.', never('flagged')],
    [
      'The input was invalid. Please try again with different inputs. (E006) (a1B2c3D4e5)',
      never('invalid_input'),
    ],
    ['No. (E006)', never('invalid_input')],
    ['the input was invalid', never('invalid_input')],
    ['CUDA out of memory. Tried to allocate 2.00 GiB (E1001)', never('invalid_input')],
    ['No. (E1001)', never('invalid_input')],
    ['RuntimeError: CUDA out of memory', never('invalid_input')],
    ['Director: unexpected error handling prediction (E4875)', never('internal')],
    ['Prediction interrupted; please retry (code: PA)', again()],
    ['No. (code: PA)', again()],
    ['prediction interrupted', again()],
    [
      'Service is currently unavailable due to high demand. Please try again later. (E003) (a1B2c3D4e5)',
      again({ delay: 30 }),
    ],
    ['No. (E003)', again({ delay: 30 })],
    ['There is high demand', again({ delay: 30 })],
    [
      'Service is temporarily unavailable. Please try again later. (E004) (a1B2c3D4e5)',
      again({ delay: 15 }),
    ],
    ['No. (E004)', again({ delay: 15 })],
    ['It is temporarily unavailable', again({ delay: 15 })],
    ['Queue reached limit', again({ delay: 60 })],
    ['model container failed to boot and complete setup within 600 seconds', again({ limit: 2 })],
    ['ValueError: the frames do not add up', never('invalid_input')],
    ['  Exception: out of frames', never('invalid_input')],
    ['It died.\nTraceback (most recent call last)\n  File "predict.py"', never('invalid_input')],
    // Known, and worth another try without more ado.
    ['Director: unexpected error handling prediction (E9828)', again()],
    ['Director: unexpected error handling prediction (E8765)', again()],
    ['Director: unexpected error handling prediction (E6716)', again()],
    ['Director: unexpected error handling prediction (E9825)', again()],
    ['An error occurred while processing your request (E001) (a1B2c3D4e5)', again()],
  ])('%j is taken as it is meant', (text, verdict) => {
    expect(judgeText(text)).toEqual(verdict);
  });

  it.each([null, '', 'words that were never seen before', 'an Error: in the middle of a sentence'])(
    'is tried again when it is unknown: %j',
    (text) => {
      expect(judgeText(text)).toEqual(again());
    },
  );

  it.each(['failed in run (xE005)', 'failed in run E006', 'failed (PA)', '(E0031)', '(E10010)'])(
    'is not mistaken for a code that it only looks like: %j',
    (text) => {
      expect(judgeText(text)).toEqual(again());
    },
  );

  it('is a refusal before anything else', () => {
    const both = 'ValueError: service is in high demand, flagged as sensitive (E005) (a1B2c3D4e5)';
    expect(judgeText(both)).toEqual(never('flagged'));
    expect(judgeText('RuntimeError: high demand (E003)')).toEqual(again({ delay: 30 }));
  });
});

describe('the table of kinds of failure', () => {
  it('promises an automatic retry only for kinds that are retried', () => {
    for (const kind of FAILURE_KINDS) {
      const { retry, advice } = FAILURES[kind];
      expect(problem(kind, 'x').retryable, kind).toBe(retry);
      if (!retry) expect(advice, kind).not.toMatch(/\bby itself\b|^Wait\b/);
    }
  });
});
