/**
 * Temporary files that processes left when they were killed: unfinished files (`.part`) and images kept for a composite
 * (`reference-`). Age tells them from files in use: no work on a file takes so long.
 */
import { opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Milliseconds. The longest work is the check of all images of a job, which is ended after an hour. */
const MAX_AGE = 2 * 3_600_000;
const TEMPORARY = /\.[0-9a-f-]{36}\.part$|^hazard-[0-9a-f]{16}\.part$|^reference-[0-9a-f]{16}$/;
/** Folders of DATA_DIR, and how many folders deep their files are. */
const FOLDERS: readonly (readonly [folder: string, depth: number])[] = [
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
