/**
 * Payloads that Temporal cannot read: AES-256-GCM with a key of CODEC_KEYS and a nonce of chance for each payload. What the payload
 * was, its own metadata included, is in the ciphertext.
 *
 * CODEC-1 Without keys nothing is encrypted, and what is encrypted is refused in words that name the variable.
 * CODEC-2 Clear payloads are read with keys too: histories from before there were keys, and what the Temporal CLI sends.
 * CODEC-3 The id of the key is authenticated with the text: a payload is what a holder of that key has written, or is refused.
 * CODEC-4 External storage decides by clear JSON what stays in histories (payload-files.ts), and is asked after this codec: the
 *    codec writes the answer into the payload's metadata.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { INTERRUPTED } from '../../domain/job/failure-kinds.js';
import type { Config } from '../../config.js';
import { STAYS_INLINE, staysInline } from '../storage/payload-files.js';

const { Payload: Encoding } = proto.temporal.api.common.v1;

type CodecKey = Config['codec_keys'][number];

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;
const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textOf = (value: Uint8Array | null | undefined): string =>
  Buffer.from(value ?? []).toString();

/**
 * This process has not the key of a payload, or the payload was changed. An activity that it keeps from its input counts as
 * interrupted, as `type` of its failure, which is this name: another worker may have the key.
 */
export class UnreadablePayload extends Error {
  override readonly name = INTERRUPTED;
}

export const isEncrypted = ({ metadata }: Payload): boolean =>
  textOf(metadata?.['encoding']) === ENCRYPTED;

function encrypt({ id, key }: CodecKey, payload: Payload): Payload {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(bytes(id)); // CODEC-3
  const clear = Encoding.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: bytes(ENCRYPTED),
      [KEY_ID]: bytes(id),
      ...(staysInline(payload) ? { [STAYS_INLINE]: bytes('true') } : {}), // CODEC-4
    },
    data,
  };
}

function decrypt(keys: readonly CodecKey[], { metadata, data }: Payload): Payload {
  const id = textOf(metadata?.[KEY_ID]);
  const known = keys.find((key) => key.id === id);
  if (known === undefined) {
    const got = keys.length === 0 ? 'no key' : keys.map((key) => `"${key.id}"`).join(', ');
    throw new UnreadablePayload(
      `CODEC_KEYS: expected key "${id}", with which a payload in Temporal is encrypted, got ${got}; give every worker, API and command the same keys.`,
    ); // CODEC-1
  }
  const content = Buffer.from(data ?? []);
  try {
    const decipher = createDecipheriv(CIPHER, known.key, content.subarray(0, NONCE), {
      authTagLength: TAG,
    })
      .setAAD(bytes(id))
      .setAuthTag(content.subarray(-TAG));
    const clear = [decipher.update(content.subarray(NONCE, -TAG)), decipher.final()];
    return Encoding.decode(Buffer.concat(clear));
  } catch (cause) {
    throw new UnreadablePayload(
      `CODEC_KEYS: expected a payload that was encrypted with key "${id}", got one that does not fit it; it was changed, or another key has the same id elsewhere.`,
      { cause },
    ); // CODEC-3
  }
}

/** The first key encrypts, all decrypt. */
export const createPayloadCodec = (keys: readonly CodecKey[]): PayloadCodec => ({
  async encode(payloads) {
    const [key] = keys;
    // What a codec endpoint is given may be encrypted already.
    return key === undefined
      ? payloads
      : payloads.map((payload) => (isEncrypted(payload) ? payload : encrypt(key, payload)));
  },
  async decode(payloads) {
    return payloads.map((payload) => (isEncrypted(payload) ? decrypt(keys, payload) : payload)); // CODEC-2
  },
});
