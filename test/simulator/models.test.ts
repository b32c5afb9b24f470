import { describe, expect, it } from 'vitest';
import { estimateCost, priceFor } from '../../src/domain/cost.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import type { ModelRow } from '../../src/domain/models/row.js';
import { clipShapeOf, versionOf } from '../../src/simulator/models.js';
import { startPeer, stoppedClock } from './support.js';

const SAMPLE = { string: 'a lighthouse', uri: 'https://example.com/a.png' } as const;

/** The least that the model takes, and what a plan always sends. */
function leastInput(row: ModelRow): Record<string, unknown> {
  const required = Object.entries(row.inputs).filter(([, field]) => field.required === true);
  const values = required.map(([name, { type }]) => [name, SAMPLE[type as keyof typeof SAMPLE]]);
  return { ...(Object.fromEntries(values) as Record<string, unknown>), ...row.sends };
}

describe('every model of the catalogue', () => {
  it.each([...CATALOGUE.values()].map((row) => [row.id, row] as const))(
    '%s is accepted, renders, and is billed what the estimate says',
    async (id, row) => {
      const clock = stoppedClock();
      const peer = await startPeer({ now: clock.now, speed: 30 });
      const input = leastInput(row);
      const created = await (row.official
        ? peer.ask('POST', `/v1/models/${id}/predictions`, { input })
        : peer.ask('POST', '/v1/predictions', { version: versionOf(row), input }));
      expect(created.body).toMatchObject({ model: id, status: 'starting' });
      clock.advance(100);
      const { status, output } = await peer.get(String(created.body['id']));
      expect({ status, many: Array.isArray(output) }).toEqual({
        status: 'succeeded',
        many: row.output === 'uris',
      });
      const { duration } = clipShapeOf(row, input);
      expect(duration).toBeGreaterThan(1);
      const estimate = estimateCost(priceFor(row, input), duration, row.usual_time);
      expect((await peer.stats()).bills).toEqual({ count: 1, usd: estimate ?? 0 });
    },
  );

  it('has a version of its own', () => {
    const versions = [...CATALOGUE.values()].map(versionOf);
    expect(new Set(versions).size).toBe(versions.length);
    for (const version of versions) expect(version).toMatch(/^[0-9a-f]{64}$/);
  });
});
