import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/commands/models.js';
import { problem } from '../../../src/domain/job/failures.js';
import type { Job, Prediction } from '../../../src/domain/job/job.schema.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import {
  deliveriesOf,
  measure,
  measuredTable,
} from '../../../src/commands/catalogue-check/measured-lengths.js';
import type { Measured } from '../../../src/commands/catalogue-check/measured-lengths.js';
import { AT, clipOf, jobOf } from '../../terminal/jobs.js';
import { testFolder } from '../../support/test-folder.js';
import { archiveIn } from '../../support/stores.js';

const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
const rows = [...CATALOGUE.values()];

interface Made {
  requested: number;
  actual: number | null;
  took?: number | null;
  cost?: number | null;
  refused?: boolean;
}

const prediction = (status: Prediction['status'], predict_time: number | null): Prediction => ({
  id: status,
  attempt: 1,
  status,
  url: 'https://replicate.com/p/1',
  created_at: AT,
  completed_at: AT,
  predict_time,
  requested_duration: 5,
  unit_price: null,
  cost_usd: 0.1,
  billed: true,
  adopted: false,
});

function finished(made: readonly Made[], more: Partial<Job> = {}): Job {
  const clips = made.map(({ requested, actual, took = null, cost = null, refused }, index) =>
    clipOf(index, {
      requested_duration: requested,
      actual_duration: actual,
      cost_usd: cost,
      error: refused === true ? problem('wrong_duration', 'too short') : null,
      predictions: [prediction('failed', 999), prediction('succeeded', took)],
    }),
  );
  return jobOf(clips, { model: KLING, status: 'succeeded', ...more });
}

const measured = (...jobs: Job[]): Measured[] => measure(jobs.flatMap(deliveriesOf), rows);

describe('what a model delivered', () => {
  it('is compared with what was requested, clip by clip, over all jobs', () => {
    const first = finished([
      { requested: 5, actual: 5.1, took: 60, cost: 0.35 },
      { requested: 10, actual: 9.2, took: 100, cost: 0.7 },
    ]);
    const second = finished([{ requested: 5, actual: 5, took: 70, cost: 0.35 }]);
    expect(measured(first, second)).toEqual([
      {
        model: KLING,
        simulated: false,
        clips: 3,
        wrong_duration: 0,
        mean_requested_duration: 6.666667,
        mean_actual_duration: 6.433333,
        mean_difference: -0.233333,
        min_difference: -0.8,
        max_difference: 0.1,
        within_half_second_percent: 66.666667,
        within_two_seconds_percent: 100,
        median_predict_time: 70,
        usual_time: CATALOGUE.get(KLING)?.usual_time,
        median_cost_usd: 0.35,
      },
    ]);
  });

  it('takes the middle between the two middle ones of an even number', () => {
    const [found] = measured(
      finished(
        [10, 90, 30, 50].map((took) => ({ requested: 5, actual: 5, took, cost: took / 100 })),
      ),
    );
    expect(found).toMatchObject({ median_predict_time: 40, median_cost_usd: 0.4 });
  });

  it('counts a file refused for its length outside of every bound, and no clip without a file', () => {
    const [found] = measured(
      finished([
        { requested: 5, actual: 5 },
        { requested: 5, actual: null, refused: true },
        { requested: 5, actual: null },
      ]),
    );
    expect(found).toMatchObject({
      clips: 2,
      wrong_duration: 1,
      mean_difference: 0,
      within_half_second_percent: 50,
      within_two_seconds_percent: 50,
    });
  });

  it('is inside a bound when it lies on it, in spite of the arithmetic of floats', () => {
    const [found] = measured(finished([{ requested: 5.1, actual: 5.6 }]));
    expect(found).toMatchObject({ max_difference: 0.5, within_half_second_percent: 100 });
  });

  it('is never mixed with what the simulator rendered as that model', () => {
    const real = finished([{ requested: 5, actual: 5.2 }]);
    const pretended = finished([{ requested: 5, actual: 5 }], { simulated: true });
    const found = measured(pretended, real);
    expect(found.map(({ simulated, max_difference }) => [simulated, max_difference])).toEqual([
      [false, 0.2],
      [true, 0],
    ]);
    expect(measuredTable(found)[2]).toContain(`${KLING} (simulator)`);
  });

  it('is shown as unknown where it is, also for a model that is no longer in the catalogue', () => {
    const gone = finished([{ requested: 5, actual: null, refused: true }], { model: 'a/gone' });
    const [, line] = measuredTable(measured(gone));
    expect(line).toMatch(/^a\/gone +1( +unknown){5} +0 % +0 %( +unknown){3}$/);
  });

  it('shows 100 % only when it is all of them', () => {
    const made = Array.from({ length: 300 }, (_, index) => ({
      requested: 5,
      actual: index === 0 ? 6 : 5,
    }));
    expect(measuredTable(measured(finished(made)))[1]).toMatch(/ 99 % +100 % /);
  });
});

describe('npm run models -- --measured', () => {
  let dataDir = '';
  let said: string[] = [];

  beforeEach(() => {
    const own = testFolder('measured');
    dataDir = own.path;
    vi.stubEnv('DATA_DIR', dataDir);
    said = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    return () => {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
      own.remove();
    };
  });

  it('says in one sentence that there is nothing yet', async () => {
    expect(await main(['--measured'])).toBe(0);
    expect(said).toEqual([
      `Nothing is measured yet: no finished job in ${dataDir} has a clip with a file.`,
    ]);
  });

  it('is an empty list as JSON while there is nothing', async () => {
    expect(await main(['--measured', '--json'])).toBe(0);
    expect(JSON.parse(said.join('\n'))).toEqual({ models: [] });
  });

  it('reads the finished jobs of the folder, with any ids, and skips other files', async () => {
    const archive = archiveIn(dataDir);
    const clips = [{ requested: 5, actual: 5.25 }];
    await archive.save(finished(clips, { job_id: 'plain' }), []);
    await archive.save(finished(clips, { job_id: 'any id. of Temporal' }), []);
    await archive.save(finished(clips, { job_id: 'unfinished', status: 'running' }), []);
    await archive.save(finished(clips, { job_id: '~%' }), []);
    await archive.save(finished(clips, { job_id: 'broken' }), []);
    await writeFile(path.join(dataDir, 'jobs', 'broken', 'job.json'), '{');
    await writeFile(path.join(dataDir, 'jobs', '~%'), 'not even a folder');
    expect(await main(['--measured', '--json'])).toBe(0);
    expect(JSON.parse(said.join('\n'))).toMatchObject({
      models: [{ model: KLING, clips: 3, mean_difference: 0.25 }],
    });
  });
});
