/** A run whose history does not replay is found, and its history kept; one that replays is no finding. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect, it } from 'vitest';
import { replayFindings } from '../../chaos/replays.js';

const text = readFileSync(new URL('../replay/histories/window.json', import.meta.url), 'utf8');
const runOf = (run_id: string, json: string) => ({
  job_id: 'chaos-test',
  run_id,
  history: historyFromJSON(JSON.parse(json)),
});

it('a job whose workflow does not follow its history has diverged, even when it ended', async () => {
  const changed = text.replaceAll('"storeClip"', '"storeClipElsewhere"');
  const { findings, runs } = await replayFindings([runOf('good', text), runOf('bad', changed)]);
  expect(findings.map(({ kind }) => kind)).toEqual(['diverged']);
  expect(runs).toBe(2);
  const [{ message } = { message: '' }] = findings;
  expect(message).toContain('chaos-test (run bad) does not replay');
  const file = /\((\S+\.json)\)/.exec(message)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toContain('storeClipElsewhere');
  await rm(file);
});
