/** Stores in a folder, as a process with this DATA_DIR has them. */
import { createArtifactStore } from '../../src/adapters/storage/artifact-store.js';
import type { ArtifactStore } from '../../src/adapters/storage/artifact-store.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { scratchFolder } from '../../src/adapters/storage/scratch-files.js';
import { createArchive } from '../../src/api/jobs/job-archive.js';
import type { Archive } from '../../src/api/jobs/job-archive.js';

export const artifactsIn = (dataDir: string): ArtifactStore =>
  createArtifactStore(createDirectoryStore(dataDir), scratchFolder(dataDir));

export const archiveIn = (dataDir: string): Archive =>
  createArchive(createDirectoryStore(dataDir), scratchFolder(dataDir));
