/** CODEC-1 to CODEC-4: what a payload is without its key, with it, and with another. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createPayloadCodec } from '../../../src/adapters/temporal/payload-codec.js';
import { staysInline } from '../../../src/adapters/storage/payload-files.js';
import { INTERRUPTED } from '../../../src/domain/job/failure-kinds.js';

const A = { id: 'a', key: Buffer.alloc(32, 1) };
const B = { id: 'b', key: Buffer.alloc(32, 2) };

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown =>
  payload && defaultPayloadConverter.fromPayload(payload);

async function encrypted(value: unknown, ...keys: (typeof A)[]): Promise<Payload> {
  const [payload] = await createPayloadCodec(keys).encode([payloadOf(value)]);
  if (payload === undefined) throw new Error('expected a payload');
  return payload;
}

const decrypted = async (payload: Payload, ...keys: (typeof A)[]): Promise<unknown> =>
  valueOf((await createPayloadCodec(keys).decode([payload]))[0]);

const plan = { clip_prompts: [{ clip_index: 0, prompt: 'a heron at dawn' }] };

describe('with keys', () => {
  it('a payload has nothing of what it was, twice the same is different, and it is read again', async () => {
    const [one, two] = [await encrypted(plan, A), await encrypted(plan, A)];
    for (const { metadata, data } of [one, two]) {
      const all = [...Object.values(metadata ?? {}), data ?? new Uint8Array()];
      expect(Buffer.concat(all).toString('latin1')).not.toMatch(/heron|clip_prompts|json/);
    }
    expect(Buffer.from(one.data ?? []).equals(Buffer.from(two.data ?? []))).toBe(false);
    expect(await decrypted(one, A)).toEqual(plan);
  });

  it('the first encrypts, and all decrypt', async () => {
    const old = await encrypted(plan, A);
    expect(await decrypted(old, B, A)).toEqual(plan);
    const fresh = await encrypted(plan, B, A);
    expect(await decrypted(fresh, B)).toEqual(plan);
    await expect(decrypted(fresh, A)).rejects.toThrow(/expected key "b".*got "a"/);
  });

  it('what is clear is read as it is, and what is encrypted is not encrypted again', async () => {
    expect(await decrypted(payloadOf(plan), A)).toEqual(plan);
    const once = await encrypted(plan, A);
    expect((await createPayloadCodec([A]).encode([once]))[0]).toBe(once);
  });

  it.each([
    ['data', ({ metadata, data }: Payload) => ({ metadata, data: flipped(data) })],
    [
      'an end',
      ({ metadata, data }: Payload) => ({ metadata, data: data?.subarray(0, 20) ?? null }),
    ],
    [
      'the id of a key',
      ({ metadata, data }: Payload) => ({
        metadata: { ...metadata, 'encryption-key-id': Buffer.from('b') },
        data,
      }),
    ],
  ])('a payload with other %s is refused', async (_what, change) => {
    const payload = change(await encrypted(plan, A)) as Payload;
    await expect(decrypted(payload, A, { ...A, id: 'b' })).rejects.toThrow(
      /CODEC_KEYS: expected a payload/,
    );
  });

  it('external storage is told by metadata what stays in histories', async () => {
    const job = { job_id: 'j', run_id: 'r', clips: [] };
    expect(staysInline(payloadOf(job))).toBe(true);
    expect(staysInline(await encrypted(job, A))).toBe(true);
    expect(staysInline(await encrypted(plan, A))).toBe(false);
  });
});

describe('without keys', () => {
  it('nothing changes, and what is encrypted is refused as an interruption that names the variable', async () => {
    const clear = payloadOf(plan);
    expect((await createPayloadCodec([]).encode([clear]))[0]).toBe(clear);
    const refused = decrypted(await encrypted(plan, A));
    await expect(refused).rejects.toThrow(/^CODEC_KEYS: expected key "a", .*, got no key; give/);
    await expect(refused).rejects.toMatchObject({ name: INTERRUPTED });
  });
});

function flipped(data: Payload['data']): Uint8Array {
  const changed = Buffer.from(data ?? []);
  changed[20] = (changed[20] ?? 0) ^ 1;
  return changed;
}
