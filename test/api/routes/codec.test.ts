/** The codec endpoint of Temporal's Web UI and CLI: there with keys alone, for those who have an API key, and for named origins. */
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withCodec } from '../../../src/adapters/temporal/data-converter.js';
import { createRemoteCodec } from '../../../src/adapters/temporal/remote-codec.js';
import type { JsonPayload } from '../../../src/adapters/temporal/remote-codec.js';
import { harness } from '../harness.js';

const KEY = 'a-key-of-sixteen-characters';
const UI = 'https://temporal.example';
const keysOf = (id: string, byte: number) => [{ id, key: Buffer.alloc(32, byte) }];
const codec = createRemoteCodec(withCodec({}, keysOf('a', 1)));
const stranger = createRemoteCodec(withCodec({}, keysOf('other', 2)));

const { metadata, data } = defaultPayloadConverter.toPayload({ prompt: 'a heron' });
const base64 = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString('base64');
const CLEAR: JsonPayload = {
  metadata: { encoding: base64(metadata?.['encoding']) },
  data: base64(data),
};

async function api(api_keys: readonly string[] = [KEY]) {
  const started = await harness({ api_keys, codec_origins: [UI] }, { codec });
  onTestFinished(() => started.app.close());
  return {
    ask: (what: string, payloads: readonly JsonPayload[], headers: Record<string, string> = {}) =>
      fetch(`${started.url}/codec/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ payloads }),
      }),
    preflight: (origin: string) =>
      fetch(`${started.url}/codec/decode`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
  };
}

const authorization = { authorization: `Bearer ${KEY}` };
const payloadsOf = async (answer: Response): Promise<JsonPayload[]> =>
  ((await answer.json()) as { payloads: JsonPayload[] }).payloads;

describe('the codec endpoint', () => {
  it('encodes, and decodes what was encoded; the rest comes back as it was', async () => {
    const { ask } = await api();
    const encoded = await payloadsOf(await ask('encode', [CLEAR], authorization));
    expect(JSON.stringify(encoded)).not.toContain(CLEAR.data);
    const foreign = await stranger.encode([CLEAR]);
    const answer = await ask('decode', [...encoded, CLEAR, ...foreign], authorization);
    expect(answer.status).toBe(200);
    expect(await payloadsOf(answer)).toEqual([CLEAR, CLEAR, ...foreign]);
  });

  it('is for those who have an API key', async () => {
    const { ask } = await api();
    for (const what of ['encode', 'decode']) {
      expect((await ask(what, [CLEAR])).status).toBe(401);
      expect(
        (await ask(what, [CLEAR], { authorization: 'Bearer wrong-key-of-sixteen' })).status,
      ).toBe(401);
    }
  });

  it('lets the Web UI ask from its own origin, and read a refusal', async () => {
    const { ask, preflight } = await api();
    const allowed = await preflight(UI);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(UI);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(
      /authorization.*x-namespace/,
    );
    const refused = await ask('decode', [CLEAR], { origin: UI });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('access-control-allow-origin')).toBe(UI);
  });

  it('tells no other page that it may ask, and without keys answers none', async () => {
    const { preflight } = await api();
    const other = await preflight('https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const open = await api([]);
    expect((await open.ask('decode', [CLEAR], { origin: 'https://evil.example' })).status).toBe(
      403,
    );
    expect((await open.ask('decode', [CLEAR], { origin: UI })).status).toBe(200);
  });

  it('does not exist where nothing is encrypted', async () => {
    const started = await harness();
    onTestFinished(() => started.app.close());
    expect((await fetch(`${started.url}/codec/decode`, { method: 'POST' })).status).toBe(404);
  });

  it('refuses what is not payloads', async () => {
    const { ask } = await api();
    const answer = await ask('decode', 'text' as never, authorization);
    expect(answer.status).toBe(400);
  });
});
