import { describe, expect, it } from 'vitest';
import { KLING, startPeer, stoppedClock } from './support.js';

describe('the listing', () => {
  it('pages from newest to oldest by absolute addresses, there and back', async () => {
    const peer = await startPeer({ settings: { list_page_size: 2 } });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await peer.create(`clip ${String(n)}`)).body.id);
    interface Page {
      next: string | null;
      previous: string | null;
      results: { id: string }[];
    }
    const read = async (url: string): Promise<Page> =>
      (await peer.ask<Page>('GET', url.replace(peer.origin, ''))).body;
    const pages = [await read('/v1/predictions')];
    for (let page = pages[0]; page?.next; pages.push(page)) page = await read(page.next);
    expect(pages.map(({ results }) => results.map(({ id }) => id))).toEqual([
      ids.slice(0, 2),
      ids.slice(2, 4),
      ids.slice(4),
    ]);
    expect(pages[1]?.next).toMatch(/^http:\/\/127/);
    const back = await read(pages[1]?.previous ?? '');
    expect(back.results.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  });

  it('keeps to created_after and created_before, and knows no predictions of the web', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now });
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push((await peer.create('x')).body.id);
      clock.advance(10);
    }
    const listed = async (query: string): Promise<string[]> => {
      const { body } = await peer.ask<{ results: { id: string }[] }>(
        'GET',
        `/v1/predictions?${query}`,
      );
      return body.results.map(({ id }) => id);
    };
    const second = new Date(clock.now() - 20_000).toISOString();
    expect(await listed(`created_after=${second}`)).toEqual([ids[2], ids[1]]);
    expect(await listed(`created_before=${second}`)).toEqual([ids[0]]);
    expect(await listed('source=web')).toEqual([]);
  });
});

describe('models', () => {
  it('publishes a schema that says what the row says', async () => {
    const peer = await startPeer();
    const { body } = await peer.ask<{
      latest_version: { id: string; openapi_schema: { components: { schemas: object } } };
    }>('GET', `/v1/models/${KLING}`);
    expect(body.latest_version.openapi_schema.components.schemas).toMatchObject({
      Input: {
        required: ['prompt'],
        properties: {
          duration: { default: 5, allOf: [{ $ref: '#/components/schemas/duration' }] },
          start_image: { type: 'string', format: 'uri' },
        },
      },
      duration: { type: 'integer', enum: [5, 10] },
      Output: { type: 'string', format: 'uri' },
    });
    const version = `/v1/models/${KLING}/versions/${body.latest_version.id}`;
    expect((await peer.ask('GET', version)).body['id']).toBe(body.latest_version.id);
  });
});
