/**
 * Which clip a prediction belongs to, across jobs and workers that share DATA_DIR. Replicate has no tags,
 * so a prediction found in its list is told from another clip's only by its input; two clips may ask for
 * exactly the same.
 *
 * C1 A prediction has at most one owner, for ever: a finished file gets the prediction's name, or finds it taken.
 */
import path from 'node:path';
import { createWhole, readWhole } from './artifact-store.js';

export interface Claims {
  /** True when the prediction is (now, or already) this owner's. */
  claim(predictionId: string, owner: string): Promise<boolean>;
  /** The owner, or null when nobody has claimed it. */
  owner(predictionId: string): Promise<string | null>;
}

export function createClaims(dataDir: string): Claims {
  const folder = path.join(dataDir, 'claims');
  const place = (id: string): string => path.join(folder, encodeURIComponent(id));

  async function owner(id: string): Promise<string | null> {
    try {
      return await readWhole(place(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  return {
    owner,
    // A reader that met half a claim would take it for nobody's, so it is written before it has its name.
    claim: async (id, who) => (await createWhole(place(id), who)) || (await owner(id)) === who,
  };
}
