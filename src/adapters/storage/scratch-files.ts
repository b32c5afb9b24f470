/**
 * Temporary files below DATA_DIR: downloads that are being measured (`scratch/`), and unfinished files of a store that is a
 * directory (`.part`). Those that a killed process left are removed; age tells them from files in use: no work on a file
 * takes so long.
 */
import { randomUUID } from 'node:crypto';
import { opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

export const scratchFolder = (dataDir: string): string => path.join(dataDir, 'scratch');

/** The path of a new one, in the scratch folder. */
export const scratchFile = (folder: string): string => path.join(folder, `${randomUUID()}.part`);

/** Milliseconds. The longest work is the check of all images of a job, which is ended after an hour. */
const MAX_AGE = 2 * 3_600_000;
const TEMPORARY =
  /(?:^|\.)[0-9a-f-]{36}\.part$|^hazard-[0-9a-f]{16}\.part$|^reference-[0-9a-f]{16}$/;
/** Folders of DATA_DIR, and how many folders deep their files are. */
const FOLDERS: readonly (readonly [folder: string, depth: number])[] = [
  ['scratch', 0],
  ['artifacts', 1],
  ['jobs', 1],
  ['payloads', 1],
  ['creates', 2],
  ['claims', 0],
  ['index', 1],
];

/** Removes the old ones and resolves to their number. A folder that cannot be read is skipped. */
export async function sweepScratchFiles(dataDir: string, now = Date.now()): Promise<number> {
  let swept = 0;
  for (const [folder, depth] of FOLDERS) {
    for await (const file of filesIn(path.join(dataDir, folder), depth)) {
      if (TEMPORARY.test(path.basename(file)) && (await isOld(file, now))) {
        await rm(file, { force: true });
        swept += 1;
      }
    }
  }
  return swept;
}

async function* filesIn(folder: string, depth: number): AsyncGenerator<string> {
  const opened = await opendir(folder).catch(() => null);
  if (opened === null) return;
  for await (const { name } of opened) {
    const entry = path.join(folder, name);
    if (depth === 0) yield entry;
    else yield* filesIn(entry, depth - 1);
  }
}

const isOld = (file: string, now: number): Promise<boolean> =>
  stat(file).then(
    (facts) => facts.isFile() && now - facts.mtimeMs > MAX_AGE,
    () => false,
  );
