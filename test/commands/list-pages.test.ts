/** `npm run orphans` reads a long list: page by page, with patience, and keeps of it what it needs. */
import { expect, it } from 'vitest';
import { pagesOf } from '../../src/commands/list-pages.js';
import type {
  PageOutcome,
  ProviderPrediction,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import { rendered } from '../activities/rendered.js';

const NOW = Date.UTC(2026, 10, 22, 12);
const SPAN = { after: NOW - 24 * 3_600_000, before: null };
const EVERY = 864; // 100,000 a day

/** An account that creates 100,000 a day; `instead` is answered before the page of that number. */
function busy(instead: ReadonlyMap<number, PageOutcome> = new Map()) {
  const answers = new Map(instead);
  const asked: number[] = [];
  const page = (of: object): Promise<PageOutcome> => {
    const number = 'next' in of ? Number(of.next) : 0;
    asked.push(number);
    const odd = answers.get(number);
    answers.delete(number);
    if (odd !== undefined) return Promise.resolve(odd);
    const predictions = Array.from({ length: 100 }, (_, at): ProviderPrediction => {
      const created_at = new Date(NOW - (number * 100 + at) * EVERY).toISOString();
      return { ...rendered(`p${String(number * 100 + at)}`), created_at };
    });
    return Promise.resolve({ type: 'page', predictions, odd: 0, next: String(number + 1) });
  };
  return { asked, replicate: { page } as unknown as Replicate };
}

const read = async (replicate: Replicate) => {
  const said: string[] = [];
  const waited: number[] = [];
  let count = 0;
  let isWhole = false;
  const pause = (milliseconds: number): Promise<void> =>
    Promise.resolve(void waited.push(milliseconds));
  for await (const page of pagesOf(replicate, SPAN, (text) => said.push(text), pause)) {
    count += page.predictions.length;
    isWhole = page.isWhole;
  }
  return { count, isWhole, said, waited };
};

it('is read to its end, also of a day with 100,000 predictions', async () => {
  const { asked, replicate } = busy();
  expect(await read(replicate)).toMatchObject({ count: 100_001, isWhole: true, waited: [] });
  expect(asked).toHaveLength(1_001);
});

it('resumes at the page that was refused, after the wait that the provider asks for', async () => {
  const { asked, replicate } = busy(
    new Map<number, PageOutcome>([
      [3, { type: 'unreadable', message: 'HTTP 429', retry_after: 30 }],
      [500, { type: 'unreadable', message: 'no JSON body' }],
    ]),
  );
  const { count, isWhole, said, waited } = await read(replicate);
  expect([count, isWhole]).toEqual([100_001, true]);
  expect(asked).toHaveLength(1_003);
  expect(waited).toEqual([30_000, 2_000]);
  expect(said[0]).toBe('HTTP 429; asking again in 30 s');
});

it('is given up when nothing of it can be read for a minute', async () => {
  const page = (): Promise<PageOutcome> => Promise.resolve({ type: 'unreadable', message: 'down' });
  await expect(read({ page } as unknown as Replicate)).rejects.toThrow(/got down; try again later/);
});
