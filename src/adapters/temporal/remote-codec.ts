/**
 * What Temporal's Web UI and CLI ask a codec endpoint for: payloads in protobuf's JSON, encrypted or decrypted. A payload that is in
 * the store is fetched from there too, and one that cannot be read comes back as it was, so that the others of a history show.
 */
import type { DataConverter, Payload } from '@temporalio/common';
import { extstoreInboundOptions } from '@temporalio/common/lib/internal-non-workflow/external-storage-visitor.js';
import { isReferencePayload } from '@temporalio/common/lib/internal-non-workflow/extstore-helpers.js';

/** Bytes are in base64. */
export interface JsonPayload {
  [more: string]: unknown;
  metadata?: Record<string, string> | undefined;
  data?: string | undefined;
}

export interface RemoteCodec {
  encode(payloads: readonly JsonPayload[]): Promise<JsonPayload[]>;
  decode(payloads: readonly JsonPayload[]): Promise<JsonPayload[]>;
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const fromJson = ({ metadata = {}, data = '' }: JsonPayload): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata).map(([name, text]) => [name, bytesOf(text)]),
  ),
  data: bytesOf(data),
});

const toJson = ({ metadata, data }: Payload): JsonPayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, textOf(bytes)]),
  ),
  ...(data ? { data: textOf(data) } : {}),
});

export function createRemoteCodec(converter: DataConverter): RemoteCodec {
  const { payloadCodecs: [codec] = [], externalStorage } = converter;
  const { transformPayload: fetched } = extstoreInboundOptions(externalStorage);

  async function read(given: JsonPayload): Promise<JsonPayload> {
    try {
      const payload = fromJson(given);
      const whole = isReferencePayload(payload) ? await fetched(payload, undefined) : payload;
      const [clear = whole] = (await codec?.decode([whole])) ?? [];
      return toJson(clear);
    } catch {
      return given;
    }
  }

  return {
    decode: (payloads) => Promise.all(payloads.map(read)),
    encode: async (payloads) => {
      const given = payloads.map(fromJson);
      return ((await codec?.encode(given)) ?? given).map(toJson);
    },
  };
}
