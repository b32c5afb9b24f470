/** What replaying the runs of a job costs. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { fillIn, storedPayloads } from '../../src/adapters/storage/payload-files.js';
import type { RunOfChain } from '../../test/support/runs.js';
import { testFolder } from '../../test/support/test-folder.js';
import type { World } from '../../test/support/world.js';
import { Child } from './child.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

/** Seconds of CPU that a cold replay of each run takes. */
export async function replayed(
  { client, data_dir }: World,
  jobId: string,
  runs: readonly RunOfChain[],
): Promise<number[]> {
  using folder = testFolder('replays');
  const files: string[] = [];
  for (const { run_id } of runs) {
    const history = await wholeHistory(client, data_dir, { jobId, run_id });
    const file = path.join(folder.path, `${run_id}.json`);
    await writeFile(file, historyToJSON(history));
    files.push(file);
  }
  await using child = new Child('./replay-process.mjs', { words: files });
  return await child.next<number[]>();
}

/** With its offloaded payloads: a replay has no store. */
async function wholeHistory(
  client: Client,
  dataDir: string,
  { jobId, run_id }: { jobId: string; run_id: string },
) {
  const history = await client.workflow.getHandle(jobId, run_id).fetchHistory();
  return (await fillIn(storedPayloads(createDirectoryStore(dataDir)), { history })).history;
}
