/**
 * G7: a code change cannot break running jobs. Recorded histories of real jobs are replayed against the bundle
 * that workers run; a change that would make them diverge fails here first. How to record: record.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { storedPayloads } from '../../src/adapters/storage/payload-files.js';
import { bundlePath } from '../../src/worker.js';

const folder = new URL('./histories/', import.meta.url);
const histories = readdirSync(folder).filter((name) => name.endsWith('.json'));

Runtime.install({ logger: new DefaultLogger('ERROR') });

const worker = { workflowBundle: { codePath: bundlePath } };
/** Recorded histories are whole; one that the Temporal CLI shows refers to files of this checkout's DATA_DIR. */
const dataConverter = storedPayloads(fileURLToPath(new URL('../../.data', import.meta.url)));

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, unknown>;

describe('the recorded history of', () => {
  it.each(histories)('%s replays against the code of today', async (name) => {
    await expect(
      Worker.runReplayHistory({ ...worker, dataConverter }, read(name), name),
    ).resolves.toBeUndefined();
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
});
