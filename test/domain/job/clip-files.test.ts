/** Names and routes of clip files are public: people, programs and stored jobs rely on them. */
import { expect, it } from 'vitest';
import { CLIP_FILES, clipFileName, clipFilePath } from '../../../src/domain/job/clip-files.js';
import type { ClipFile } from '../../../src/domain/job/clip-files.js';

it('names the files of a clip by its index, in an order that file managers keep up to a thousand', () => {
  expect(clipFileName(0, 'video')).toBe('clip_000.mp4');
  expect(clipFileName(7, 'thumbnail')).toBe('clip_007.jpg');
  expect(clipFileName(42, 'composite')).toBe('clip_042.composite.jpg');
  expect(clipFileName(999, 'facts')).toBe('clip_999.json');
  expect(clipFileName(1234, 'video')).toBe('clip_1234.mp4');
});

it('gives no two files of a clip the same name', () => {
  const names = (Object.keys(CLIP_FILES) as ClipFile[]).map((file) => clipFileName(3, file));
  expect(new Set(names).size).toBe(names.length);
});

it('serves the files of a clip below its job, with any id of the workflow', () => {
  expect(clipFilePath('launch', 0, 'video')).toBe('/v1/jobs/launch/clips/0/video');
  expect(clipFilePath('launch', 3, 'composite')).toBe('/v1/jobs/launch/clips/3/composite');
  expect(clipFilePath('a/b c', 1, 'thumbnail')).toBe('/v1/jobs/a%2Fb%20c/clips/1/thumbnail');
});
