/**
 * Records the histories that replay.test.ts replays; only when asked to: RECORD=1 npm test.
 * A history that exists is kept: old histories are what a change is tested against. A new kind of job is a new row of
 * RECORDINGS with a new name.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, it } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { wholeHistory } from '../../chaos/replays.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { cancelClipSignal, pauseSignal, resumeSignal } from '../../src/contract/workflow.js';
import { planOf } from '../support/plans.js';
import { terminateAndRetry } from '../support/retry.js';
import { Run, World } from '../support/world.js';
import type { WorkerSettings } from '../support/world.js';

interface Recording {
  plan: Plan;
  worker?: WorkerSettings;
  /** What happens to the job while it runs. */
  during?: (run: Run, world: World) => Promise<void>;
  /** Another run of the same job, which is the one to record. */
  again?: (run: Run, world: World) => Promise<Run>;
}

const oneSubmitted = (run: Run) =>
  run.until('a clip submitted', (job) =>
    job.clips.some(({ predictions }) => predictions.length > 0),
  );

const RECORDINGS: Record<string, Recording> = {
  'all-good': { plan: planOf(['a', 'b', 'c', 'd', 'e', 'f']) },
  partial: {
    plan: planOf(
      ['a', '[[fail-once]] b', '[[flagged]] c', '[[wrong-duration:1]] d', '[[http-429:1]] e'],
      {
        max_cost_usd: 20,
      },
    ),
  },
  failed: { plan: planOf(['[[flagged]] a', '[[invalid]] b', 'c'], { min_successful_clips: 2 }) },
  refused: { plan: { clip_prompts: [{ clip_index: 0, prompt: 'a', duration: -1 }] } },
  window: { plan: planOf(['a', 'b', 'c', 'd'], { dispatch: 'window', batch_size: 2 }) },
  canceled: {
    plan: planOf(['[[slow:30]] a', '[[slow:30]] b', 'c'], { batch_size: 2 }),
    during: async (run) => {
      await oneSubmitted(run);
      await run.handle.cancel();
    },
  },
  'handed-over': {
    plan: planOf(['[[slow:8]] a', '[[slow:8]] b', 'c'], { batch_size: 2 }),
    during: async (run, world) => {
      await run.until(
        'two clips submitted',
        (job) => job.clips.filter(({ predictions }) => predictions.length > 0).length === 2,
      );
      await world.deploy();
      await run.handle.signal(pauseSignal);
      await run.handle.signal(resumeSignal);
      await run.handle.signal(cancelClipSignal, { clip_index: 99 });
    },
  },
  retried: {
    plan: planOf(['[[flagged]] a', '[[slow:8]] b', '[[slow:8]] c', 'd'], { dispatch: 'window' }),
    again: async (run, world) => {
      await run.until('two clips submitted and one failed', ({ clips }) => {
        const submitted = clips.filter(({ predictions }) => predictions.length > 0);
        return submitted.length >= 3 && clips[0]?.status === 'failed';
      });
      return terminateAndRetry(world, run);
    },
  },
  continued: {
    ...longJob(),
    again: async (run, { client }) => {
      await run.handle.result();
      const { workflowId } = run.handle;
      return new Run(client.workflow.getHandle(workflowId, run.first_run_id));
    },
  },
  continuing: longJob(),
};

/** More clips than fit one run. */
function longJob(): Recording {
  return {
    plan: planOf(Array.from('abcdefgh', (letter) => `[[fail-once]] ${letter}`)),
    worker: { history_limits: { events: 60, bytes: 10 * 2 ** 20 } },
  };
}

/** `123@host`, alone or as the name of a worker's own queue. */
const isMachineName = (key: string, value: unknown): boolean =>
  key === 'identity' || (key === 'name' && typeof value === 'string' && /^\d+@/.test(value));

const told = (key: string, value: unknown): unknown => {
  if (key === 'stackTrace') return '';
  return isMachineName(key, value) ? 'worker' : value;
};

/** Indented, and without the names and paths of the machine that recorded it. */
const anonymous = (json: string): string =>
  JSON.stringify(
    JSON.parse(json, (key, value: unknown) => told(key, value)),
    null,
    1,
  );

const folder = new URL('./histories/', import.meta.url);
const fileOf = (name: string): URL => new URL(`${name}.json`, folder);
const missing = Object.entries(RECORDINGS).filter(([name]) => !existsSync(fileOf(name)));

describe('recording', () => {
  it.runIf(missing.length === 0)('has nothing to do: every history exists', () => undefined);

  it.each(missing)('%s', async (name, { plan, worker, during, again }) => {
    await using world = await World.create();
    await world.startWorker(worker);
    const first = await world.start(plan);
    await during?.(first, world);
    const run = (await again?.(first, world)) ?? first;
    await run.handle.result().catch(() => undefined);
    const history = anonymous(
      historyToJSON(await wholeHistory(run.handle, createDirectoryStore(world.data_dir))),
    );
    await mkdir(folder, { recursive: true });
    await writeFile(fileOf(name), `${history}\n`, { flag: 'wx' });
  });
});
