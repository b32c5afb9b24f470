/** Temporary files of processes that died are removed when they are old, and only then; and inputs that crashed processes. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createHazards } from '../../../src/adapters/media/hazards.js';
import { TooMuch } from '../../../src/adapters/media/media.js';
import { sweepScratchFiles } from '../../../src/adapters/storage/scratch-files.js';
import { testFolder } from '../../support/test-folder.js';

const { path: dataDir, remove } = testFolder('scratch');
afterAll(remove);

const HOUR = 3_600_000;
const UUID = '0b9f3a52-6c0e-4c39-9d0a-7d1d5ab1a111';

async function fileWithAge(name: string, hours: number): Promise<void> {
  const file = path.join(dataDir, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, 'x');
  const at = new Date(Date.now() - hours * HOUR);
  await utimes(file, at, at);
}

describe('a sweep', () => {
  it('removes old scratch files of every job, and nothing else', async () => {
    const old = [
      `artifacts/job-a/clip_000.mp4.${UUID}.part`,
      'artifacts/job-a/reference-0123456789abcdef',
      'artifacts/job-b/hazard-0123456789abcdef.part',
      `artifacts/~odd%20job/composite-0123456789abcdef.jpg.${UUID}.part`,
      `jobs/job-a/job.json.${UUID}.part`,
      `claims/abc.${UUID}.part`,
      `index/entries/20260101T000000000Z-abc.json.${UUID}.part`,
    ];
    const kept = [
      'artifacts/job-a/clip_000.mp4',
      'artifacts/job-a/clip_000.composite.jpg',
      'artifacts/job-a/composite-0123456789abcdef.jpg',
      'artifacts/job-a/composite-0123456789abcdef.json',
      'jobs/job-a/job.json',
      'jobs/reference-0123456789abcdef/plan.json',
      'claims/abc',
      'index/segments/000000001.jsonl',
      'claims/reference-part',
    ];
    const young = [
      'artifacts/job-c/reference-fedcba9876543210',
      `artifacts/job-c/clip_001.mp4.${UUID}.part`,
    ];
    for (const name of [...old, ...kept]) await fileWithAge(name, 48);
    for (const name of young) await fileWithAge(name, 1);

    expect(await sweepScratchFiles(dataDir)).toBe(old.length);
    const left = await readdir(dataDir, { recursive: true, withFileTypes: true });
    const files = left.filter((entry) => entry.isFile());
    expect(
      files.map((entry) => path.relative(dataDir, path.join(entry.parentPath, entry.name))).sort(),
    ).toEqual([...kept, ...young].sort());
    expect(await sweepScratchFiles(path.join(dataDir, 'not there'))).toBe(0);
  });
});

describe('an input', () => {
  const marks = async (job: string): Promise<string[]> =>
    readdir(path.join(dataDir, 'artifacts', job)).catch(() => []);

  /** A process that died is one whose work never came to an end. */
  const died = async (job: string, what: string): Promise<void> => {
    let begun = (): void => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    void createHazards(dataDir).guard(job, what, () => {
      begun();
      return new Promise(() => undefined);
    });
    await beginning;
  };

  it('that crashed two processes is not given to a third; other inputs are', async () => {
    const hazards = createHazards(dataDir);
    const job = 'deadly';
    for (let count = 0; count < 2; count++) await died(job, 'https://a/bad.jpg');
    let looked = 0;
    const look = () => Promise.resolve((looked += 1));
    await expect(hazards.guard(job, 'https://a/bad.jpg', look)).rejects.toBeInstanceOf(TooMuch);
    expect(looked).toBe(0);
    expect(await hazards.guard(job, 'https://a/good.jpg', look)).toBe(1);
    expect(await hazards.guard('another', 'https://a/bad.jpg', look)).toBe(2);
    // Asked for once more by a person, it is looked at once more.
    expect(await hazards.guard(job, 'https://a/bad.jpg', look)).toBe(3);
    expect(await marks(job)).toEqual([]);
  });

  it('does not count one death of its process for another reason, nor work that failed', async () => {
    const hazards = createHazards(dataDir);
    const job = 'unlucky';
    const fails = () => Promise.reject(new Error('no'));
    for (let count = 0; count < 5; count++) {
      await expect(hazards.guard(job, 'clip', fails)).rejects.toThrow('no');
    }
    await died(job, 'clip');
    expect(await hazards.guard(job, 'clip', () => Promise.resolve('fine'))).toBe('fine');
    await died(job, 'clip');
    expect(await hazards.guard(job, 'clip', () => Promise.resolve('fine'))).toBe('fine');
    expect(await marks(job)).toEqual([]);
  });
});
