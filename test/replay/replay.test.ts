/**
 * G7: a code change cannot break running jobs. Recorded histories of real jobs are replayed against the bundle
 * that workers run; a change that would make them diverge fails here first. How to record: record.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PayloadCodec } from '@temporalio/common';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { storedPayloads } from '../../src/adapters/storage/payload-files.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { bundlePath } from '../../src/worker.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

const folder = new URL('./histories/', import.meta.url);
const histories = readdirSync(folder).filter((name) => name.endsWith('.json'));

Runtime.install({ logger: new DefaultLogger('ERROR') });

const worker = { workflowBundle: { codePath: bundlePath } };
/** Recorded histories are whole; one that the Temporal CLI shows refers to files of this checkout's DATA_DIR. */
const { payloadCodecs = [], ...converter } = storedPayloads(
  createDirectoryStore(fileURLToPath(new URL('../../.data', import.meta.url))),
);

/** What a workflow says of its job in memo and result has the number of the job's last event; other data has none. */
function seqsIn(data: string): number[] {
  try {
    const { job_id, seq } = JSON.parse(data) as Partial<Job>;
    return job_id === undefined || seq === undefined ? [] : [seq];
  } catch {
    return [];
  }
}

/** Those in a history, in order; with its first event comes the memo of the run before. */
function recordedSeqs({ events }: Record<string, unknown>): number[] {
  const seqs: number[] = [];
  JSON.stringify((events as unknown[]).slice(1), (key, value: unknown) => {
    if (key === 'data' && typeof value === 'string') {
      seqs.push(...seqsIn(Buffer.from(value, 'base64').toString()));
    }
    return value;
  });
  return seqs;
}

/** Those that the replayed workflow says: its answers are encoded as in a worker, though nothing is sent. */
async function replayedSeqs(
  history: Record<string, unknown>,
  workflowBundle: { codePath: string } | { code: string } = worker.workflowBundle,
): Promise<number[]> {
  const seqs: number[] = [];
  const listener: PayloadCodec = {
    encode: (payloads) => {
      seqs.push(...payloads.flatMap(({ data }) => seqsIn(Buffer.from(data ?? []).toString())));
      return Promise.resolve(payloads);
    },
    decode: (payloads) => Promise.resolve(payloads),
  };
  const dataConverter = { ...converter, payloadCodecs: [listener, ...payloadCodecs] };
  await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, 'replayed');
  return seqs;
}

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>;

describe('the recorded history of', () => {
  it.each(histories)('%s replays against the code of today', async (name) => {
    const history = read(name);
    // Also with the same numbers of events: viewers have seen them.
    expect(await replayedSeqs(history)).toEqual(recordedSeqs(history));
  });

  it('every kind of end is there', () => {
    expect(histories).toEqual(
      expect.arrayContaining([
        'all-good.json',
        'canceled.json',
        'continued.json',
        'continuing.json',
        'failed.json',
        'handed-over.json',
        'partial.json',
        'refused.json',
        'retried.json',
        'window.json',
      ]),
    );
  });

  it('a job, changed in one activity, does not replay: the check can fail', async () => {
    const text = readFileSync(new URL('all-good.json', folder), 'utf8');
    const changed = JSON.parse(text.replaceAll('"storeClip"', '"storeClipElsewhere"')) as object;
    await expect(Worker.runReplayHistory(worker, changed, 'changed')).rejects.toThrow();
  });

  it('a job has other numbers when a release adds an event without a patch: that check can fail, too', async () => {
    const code = readFileSync(bundlePath, 'utf8').replace(
      'this.#job.recordClip("clip.storing",',
      (found) => `this.#job.log.record({type:"job.reviewed"});${found}`,
    );
    const history = read('all-good.json');
    expect(await replayedSeqs(history, { code })).not.toEqual(recordedSeqs(history));
  });
});
