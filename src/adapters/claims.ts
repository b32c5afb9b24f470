/**
 * Which clip a prediction belongs to, across jobs and workers that share DATA_DIR. Replicate has no tags,
 * so a prediction found in its list is told from another clip's only by its input; two clips may ask for
 * exactly the same.
 *
 * C1 A prediction has at most one owner, for ever: the claim is one exclusive creation of a file.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface Claims {
  /** True when the prediction is (now, or already) this owner's. */
  claim(predictionId: string, owner: string): Promise<boolean>;
  /** The owner, or null when nobody has claimed it. */
  owner(predictionId: string): Promise<string | null>;
}

export function createClaims(dataDir: string): Claims {
  const folder = path.join(dataDir, 'claims');
  const place = (id: string): string => path.join(folder, encodeURIComponent(id));
  const owner = async (id: string): Promise<string | null> => {
    try {
      return await readFile(place(id), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };
  return {
    owner,
    async claim(id, who) {
      await mkdir(folder, { recursive: true });
      try {
        await writeFile(place(id), who, { flag: 'wx' });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = await owner(id);
        // A kill between creation and content leaves an empty file: whoever asks for it next may have it.
        if (holder === '') await writeFile(place(id), who);
        return holder === '' || holder === who;
      }
    },
  };
}
