/**
 * The description of the API, held against the API itself by Schemathesis: it makes requests of every operation, good
 * and bad ones, and checks that each answer is one that the description names.
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { SCHEMATHESIS_PYTHON } from '../../setup/test-extras.mjs';
import { artifactPath } from '../support/stored-files.js';
import { harness } from '../api/harness.js';
import type { Harness } from '../api/harness.js';
import { lacks } from '../support/needed-programs.js';

/** A job with files, and jobs that end as soon as their events are read: a stream that stays open has no answer to check. */
async function withJobs(settings: Parameters<typeof harness>[0]): Promise<Harness> {
  // It shows more wrong keys than are answered at once in a minute: by this clock, each comes in one of its own.
  let now = Date.now();
  const all = await harness({ log_level: 'fatal', now: () => (now += 60_000), ...settings });
  const { jobs, data_dir } = all;
  const news = jobs.waitForHistory.bind(jobs);
  jobs.waitForHistory = async (jobId, ...rest) => {
    if (jobs.latest(jobId).run.closed_at === null) {
      jobs.tell(jobId, { type: 'job.completed', error: null, total_cost_usd: 0 });
      jobs.closeRun(jobId, 'completed');
    }
    return news(jobId, ...rest);
  };
  jobs.add('a', 3);
  jobs.warn('a');
  for (const name of ['video', 'thumbnail', 'composite'] as const) {
    const file = artifactPath(data_dir, 'a', 0, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '0123456789');
  }
  return all;
}

/**
 * JSON Schema cannot say that a clip_index is unique, that counts fit the list, what a model takes, or which cursors
 * were given out: there, and nowhere else, a request of the right shape may be refused.
 */
const SETTINGS = ['/v1/jobs', '/v1/jobs/estimate', '/v1/models/compare']
  .map(
    (place) => `
[[operations]]
include-path = "${place}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "409"]
`,
  )
  .join('');

/** Made-up ids find nothing; these find a job with files. */
const KNOWN = `
[parameters]
"path.job_id" = "a"
"path.clip_index" = 0
`;

interface Run {
  settings: string;
  words: string[];
}

/** What it says in the end. */
async function schemathesis({ url, data_dir }: Harness, { settings, words }: Run): Promise<string> {
  const config = path.join(data_dir, 'schemathesis.toml');
  await writeFile(config, settings);
  const child = spawn(
    SCHEMATHESIS_PYTHON,
    [
      ...['-m', 'schemathesis.cli', '--config-file', config, 'run', `${url}/openapi.json`],
      ...['--seed', '7', '--max-examples', '25', '--request-timeout', '20', '--no-color', ...words],
    ],
    { cwd: data_dir, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return text(child.stdout);
}

describe.skipIf(lacks('schemathesis'))(
  'Schemathesis finds no answer that the description does not name',
  () => {
    it.each([
      ['without keys', [], { settings: SETTINGS, words: [] }],
      [
        'with keys, of a job that is there',
        ['a-key-of-sixteen', 'another-key-of-many'],
        {
          settings: KNOWN + SETTINGS,
          words: ['--header', 'Authorization: Bearer another-key-of-many'],
        },
      ],
    ])('%s', async (_name, api_keys, run) => {
      const report = await schemathesis(await withJobs({ api_keys }), run);
      expect(report).toMatch(/ (\d+) generated, \1 passed/);
    });
  },
);
