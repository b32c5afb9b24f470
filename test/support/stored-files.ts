/** Where things are on disk, of a store that is a directory. */
import path from 'node:path';
import { artifactKey, jobKey } from '../../src/adapters/storage/store-keys.js';
import type { ClipFile } from '../../src/domain/job/clip-files.js';

export const artifactPath = (
  dataDir: string,
  jobId: string,
  clipIndex: number,
  file: ClipFile,
): string => path.join(dataDir, artifactKey(jobId, clipIndex, file));

export const jobPath = (dataDir: string, ...[jobId, file]: Parameters<typeof jobKey>): string =>
  path.join(dataDir, jobKey(jobId, file));
