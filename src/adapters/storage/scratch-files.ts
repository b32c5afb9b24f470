/**
 * Files that were only for a while, of processes that had no time to remove them: halves of files (`.part`) and images
 * kept for a composite (`reference-`). Each is told from one in use by its age: no work on a file takes so long.
 */
import { opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

/** Milliseconds. The longest work is one look at all images of a job, which is cut off after an hour. */
const OLD = 2 * 3_600_000;
const SCRATCH = /\.[0-9a-f-]{36}\.part$|^hazard-[0-9a-f]{16}\.part$|^reference-[0-9a-f]{16}$/;
/** Folders of DATA_DIR, and how many folders deep their files are. */
const PLACES: readonly (readonly [folder: string, depth: number])[] = [
  ['artifacts', 1],
  ['jobs', 1],
  ['payloads', 1],
  ['creates', 2],
  ['claims', 0],
  ['index', 1],
];

/** Removes what is old; answers with how many files that were. A folder that cannot be read is passed over. */
export async function sweepScratchFiles(dataDir: string, now = Date.now()): Promise<number> {
  let swept = 0;
  for (const [folder, depth] of PLACES) {
    for await (const file of filesIn(path.join(dataDir, folder), depth)) {
      if (SCRATCH.test(path.basename(file)) && (await isOld(file, now))) {
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
    (facts) => facts.isFile() && now - facts.mtimeMs > OLD,
    () => false,
  );
