/**
 * Which clip a prediction belongs to, across jobs and workers that share DATA_DIR. Replicate has no tags,
 * so a prediction found in its list is told from another clip's only by its input; two clips may ask for
 * exactly the same.
 *
 * C1 A prediction has at most one owner, for ever: a finished file gets the prediction's name, or finds it taken.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Claims {
  /** True when the prediction is (now, or already) this owner's. */
  claim(predictionId: string, owner: string): Promise<boolean>;
  /** The owner, or null when nobody has claimed it. */
  owner(predictionId: string): Promise<string | null>;
  /** Rejects where no claim could be written now. */
  check(): Promise<void>;
}

export function createClaims(dataDir: string): Claims {
  const folder = path.join(dataDir, 'claims');
  const place = (id: string): string => path.join(folder, encodeURIComponent(id));

  /** Written whole before it gets its name: a reader that met half a claim would take it for nobody's. */
  async function withDraft<T>(who: string, use: (draft: string) => Promise<T>): Promise<T> {
    await mkdir(folder, { recursive: true });
    const draft = path.join(folder, `.${randomUUID()}`);
    try {
      await writeFile(draft, who);
      return await use(draft);
    } finally {
      await rm(draft, { force: true });
    }
  }

  async function owner(id: string): Promise<string | null> {
    try {
      return await readFile(place(id), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  return {
    owner,
    claim: (id, who) =>
      withDraft(who, async (draft) => {
        try {
          await link(draft, place(id));
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
          return (await owner(id)) === who;
        }
      }),
    check: () => withDraft('', () => Promise.resolve()),
  };
}
