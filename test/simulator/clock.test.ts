/** A provider whose clock is off says another time everywhere, and lives by it: clients see one clock. */
import { expect, it } from 'vitest';
import { hasEnded, startPeer, type Prediction } from './support.js';

const HOUR = 3_600_000;

it.each([-HOUR, HOUR])(
  'by %i ms, says so in each time, and filters by it',
  async (clock_offset_ms) => {
    const peer = await startPeer({ settings: { clock_offset_ms } });
    const theirs = (): number => Date.now() + clock_offset_ms;
    const isNow = (time: string | null | undefined): void => {
      expect(Math.abs(Date.parse(time ?? '') - theirs())).toBeLessThan(60_000);
    };
    const created = await peer.create('a clock tower', { 'cancel-after': '30s' });
    isNow(created.headers.get('date'));
    isNow(created.body.created_at);
    isNow(created.body.deadline);
    const ended = await peer.until(created.body.id, hasEnded);
    isNow(ended.started_at);
    isNow(ended.completed_at);
    const listed = async (after: number): Promise<string[]> => {
      const query = `created_after=${new Date(after).toISOString()}`;
      const { body } = await peer.ask<{ results: Prediction[] }>('GET', `/v1/predictions?${query}`);
      return body.results.map(({ id }) => id);
    };
    expect(await listed(theirs() - 60_000)).toEqual([created.body.id]);
    expect(await listed(theirs() + 60_000)).toEqual([]);
    for (const path of ['/v1/predictions/none', '/simulator/stats']) {
      isNow((await peer.ask('GET', path)).headers.get('date'));
    }
  },
);

it('can be set while it runs, without a render that ends for it', async () => {
  const peer = await startPeer({ speed: 1 });
  const { body } = await peer.create('a sundial');
  const change = { clock_offset_ms: 10 * HOUR };
  expect((await peer.ask('POST', '/simulator/settings', change)).status).toBe(200);
  const seen = await peer.get(body.id);
  expect(hasEnded(seen)).toBe(false);
  expect(Date.parse(seen.created_at)).toBe(Date.parse(body.created_at) + 10 * HOUR);
});
