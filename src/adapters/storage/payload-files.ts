/**
 * What Temporal need not hold: payloads of 256 KiB and more (plans, carried states, results of `resolvePlan`) are files
 * below DATA_DIR/payloads, named by their hash, and histories refer to them. What people read with Temporal's own tools
 * stays in histories and answers as plain JSON: jobs and pages of events, both of which the workflow keeps small.
 *
 * P1 A payload is on the disk, whole, before Temporal is told of it.
 * P2 What is read is what was written: the name is the hash of the content.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ExternalStorage, StorageDriverClaim } from '@temporalio/common';
import type { DataConverter, Payload, StorageDriver } from '@temporalio/common';
import { extstoreInboundOptions } from '@temporalio/common/lib/internal-non-workflow/external-storage-visitor.js';
import {
  visit,
  walkGetWorkflowExecutionHistoryResponse,
} from '@temporalio/common/lib/internal-non-workflow/payload-visitor.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { writeWhole } from './artifact-store.js';

const { Payload: Encoding } = proto.temporal.api.common.v1;
type History = temporal.api.history.v1.IHistory;

/** A payload could not be written or read; the API says so instead of failing. */
export class PayloadTrouble extends Error {
  override readonly name = 'PayloadTrouble';
}

/** How a job, a page of events and a page of clips begin; a plan may begin with its `job_id`, and has no `run_id`. */
const FOR_PEOPLE = /^\{"(?:job_id":"[^"]*","run_id"|events"|seq")/;
/** With the longest id that a workflow may have. */
const LONGEST_BEGINNING = 1_100;

/** The SDK takes answers of queries and results for payloads like any other. */
export const staysInline = ({ data }: Payload): boolean =>
  FOR_PEOPLE.test(Buffer.from(data?.subarray(0, LONGEST_BEGINNING) ?? []).toString('latin1'));

const SHA256 = /^[0-9a-f]{64}$/;

export function createPayloadDriver(dataDir: string): StorageDriver {
  const folder = path.join(dataDir, 'payloads');
  const place = (sha256: string): string => path.join(folder, sha256.slice(0, 2), sha256);

  async function store(payload: Payload): Promise<StorageDriverClaim> {
    const content = Encoding.encode(payload).finish();
    const sha256 = hashOf(content);
    // Also where it is there already: its time says when it was last needed, and a damaged one is repaired.
    await writeWhole(place(sha256), content, { flush: true }).catch((cause: unknown) => {
      throw new PayloadTrouble(`expected to write payload ${sha256}: ${words(cause)}`, { cause });
    }); // P1
    return new StorageDriverClaim({ sha256 });
  }

  async function retrieve({ claimData: { sha256 = '' } }: StorageDriverClaim): Promise<Payload> {
    if (!SHA256.test(sha256)) {
      throw new PayloadTrouble(`expected the hash of a payload in its reference, got "${sha256}"`);
    }
    const expected = `expected payload ${sha256} in ${folder}`;
    const content = await readFile(place(sha256)).catch((cause: unknown) => {
      const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? MISSING : words(cause);
      throw new PayloadTrouble(`${expected}: ${why}`, { cause });
    });
    if (hashOf(content) !== sha256) throw new PayloadTrouble(`${expected}: the file was changed`); // P2
    return Encoding.decode(content);
  }

  return {
    name: 'data-dir',
    type: 'durable-clip-generator.data-dir',
    store: (_, payloads) => Promise.all(payloads.map(store)),
    retrieve: (_, claims) => Promise.all(claims.map(retrieve)),
  };
}

const MISSING =
  'this process has another DATA_DIR than the one that wrote it, or the file was deleted';

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** For every client and worker: one that is without can start and ask, but not read what others have stored. */
export function storedPayloads(
  dataDir: string,
  payloadSizeThreshold?: number,
): DataConverter & { externalStorage: ExternalStorage } {
  const driver = createPayloadDriver(dataDir);
  return {
    externalStorage: new ExternalStorage({
      drivers: [driver],
      driverSelector: (_, payload) => (staysInline(payload) ? null : driver),
      ...(payloadSizeThreshold === undefined ? {} : { payloadSizeThreshold }),
    }),
  };
}

/** Puts stored payloads into their places in a history as the server answers it; the SDK does so in its own calls only. */
export async function fillIn<Answer extends { history?: History | null }>(
  { externalStorage }: DataConverter,
  answer: Answer,
): Promise<Answer> {
  await visit(
    answer,
    walkGetWorkflowExecutionHistoryResponse,
    extstoreInboundOptions(externalStorage),
  );
  return answer;
}
