/**
 * Large payloads outside Temporal: those of 256 KiB and more (plans, carried-over states, results of `resolvePlan`) are objects
 * below `payloads/` in the store, named by their hash, and histories refer to them. What users read with Temporal's own tools
 * stays in histories and answers as plain JSON: jobs and pages of events, which the workflow keeps small.
 *
 * PAYLOADS-1 A payload is in the store, whole, before Temporal gets the reference.
 * PAYLOADS-2 What is read is what was written: the name is the hash of the content.
 */
import { createHash } from 'node:crypto';
import { ExternalStorage, StorageDriverClaim } from '@temporalio/common';
import type { DataConverter, Payload, StorageDriver } from '@temporalio/common';
import { extstoreInboundOptions } from '@temporalio/common/lib/internal-non-workflow/external-storage-visitor.js';
import {
  visit,
  walkGetWorkflowExecutionHistoryResponse,
} from '@temporalio/common/lib/internal-non-workflow/payload-visitor.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { errorMessage } from '../../domain/values/error-message.js';
import { decoded } from '../temporal/decoded-answers.js';
import { readBytes } from './store.js';
import type { Store } from './store.js';

const { Payload: Encoding } = proto.temporal.api.common.v1;
type History = temporal.api.history.v1.IHistory;

/** A payload could not be written or read. */
export class PayloadTrouble extends Error {
  override readonly name = 'PayloadTrouble';
}

/** The start of a job, a page of events and a page of clips. A plan may start with its `job_id`, but has no `run_id`. */
const INLINE = /^\{"(?:job_id":"[^"]*","run_id"|events"|seq")/;
/** Bytes that `INLINE` needs, with the longest id that a workflow may have. */
const START_LENGTH = 1_100;

/** Metadata of a payload that is encrypted, so that its beginning cannot be read (payload-codec.ts). */
export const STAYS_INLINE = 'stays-inline';

/** The SDK stores answers of queries and results like all other payloads. */
export const staysInline = ({ metadata, data }: Payload): boolean =>
  metadata?.[STAYS_INLINE] != null ||
  INLINE.test(Buffer.from(data?.subarray(0, START_LENGTH) ?? []).toString('latin1'));

const SHA256 = /^[0-9a-f]{64}$/;

export function createPayloadDriver(objects: Store): StorageDriver {
  const keyOf = (sha256: string): string => `payloads/${sha256.slice(0, 2)}/${sha256}`;

  async function store(payload: Payload): Promise<StorageDriverClaim> {
    const content = Encoding.encode(payload).finish();
    const sha256 = hashOf(content);
    // Also when it exists: its time says when it was last needed, and a damaged file is repaired.
    await objects.put(keyOf(sha256), content, { flush: true, sha256 }).catch((cause: unknown) => {
      throw new PayloadTrouble(`expected to write payload ${sha256}: ${errorMessage(cause)}`, {
        cause,
      });
    }); // PAYLOADS-1
    return new StorageDriverClaim({ sha256 });
  }

  async function retrieve({ claimData: { sha256 = '' } }: StorageDriverClaim): Promise<Payload> {
    if (!SHA256.test(sha256)) {
      throw new PayloadTrouble(`expected the hash of a payload in its reference, got "${sha256}"`);
    }
    const expected = `expected payload ${sha256} in ${objects.location}`;
    const content = await readBytes(objects, keyOf(sha256)).catch((cause: unknown) => {
      throw new PayloadTrouble(`${expected}: ${errorMessage(cause)}`, { cause });
    });
    if (content === null) throw new PayloadTrouble(`${expected}: ${MISSING}`);
    if (hashOf(content) !== sha256) throw new PayloadTrouble(`${expected}: the object was changed`); // PAYLOADS-2
    return Encoding.decode(content);
  }

  return {
    // Histories name it: it is the same for every kind of store, so that a store can be moved.
    name: 'data-dir',
    type: 'durable-clip-generator.data-dir',
    store: (_, payloads) => Promise.all(payloads.map(store)),
    retrieve: (_, claims) => Promise.all(claims.map(retrieve)),
  };
}

const MISSING =
  'this process has another store (STORAGE_URL, DATA_DIR) than the one that wrote it, or the object was deleted';

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** For every client and worker: without it they cannot read what others have stored. */
export function storedPayloads(
  store: Store,
  payloadSizeThreshold?: number,
): DataConverter & { externalStorage: ExternalStorage } {
  const driver = createPayloadDriver(store);
  return {
    externalStorage: new ExternalStorage({
      drivers: [driver],
      driverSelector: (_, payload) => (staysInline(payload) ? null : driver),
      ...(payloadSizeThreshold === undefined ? {} : { payloadSizeThreshold }),
    }),
  };
}

/** Replaces references by payloads, and decrypts them, in a history that the server has answered; the SDK does so only in its own calls. */
export async function fillIn<Answer extends { history?: History | null }>(
  converter: DataConverter,
  answer: Answer,
): Promise<Answer> {
  await visit(
    answer,
    walkGetWorkflowExecutionHistoryResponse,
    extstoreInboundOptions(converter.externalStorage),
  );
  return decoded(converter, answer, walkGetWorkflowExecutionHistoryResponse);
}
