/**
 * Exclusive claims: which clip a prediction belongs to, across all jobs and workers that share DATA_DIR. Replicate has no tags,
 * so a prediction in its list can be matched to a clip only by its input, and two clips may have the same input.
 *
 * CLAIMS-1 A prediction has at most one owner, for ever: a complete file gets the prediction's name, or finds it taken.
 */
import path from 'node:path';
import { createWhole, readWhole } from './artifact-store.js';

export interface Claims {
  /** True when this owner has the prediction, from now on or already. */
  claim(predictionId: string, owner: string): Promise<boolean>;
  /** Null when the prediction is not claimed. */
  owner(predictionId: string): Promise<string | null>;
}

export function createClaims(dataDir: string): Claims {
  const folder = path.join(dataDir, 'claims');
  const fileOf = (id: string): string => path.join(folder, encodeURIComponent(id));

  async function owner(id: string): Promise<string | null> {
    try {
      return await readWhole(fileOf(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  return {
    owner,
    // CLAIMS-1: written before it has its name, since half a claim would name no owner.
    claim: async (id, claimant) =>
      (await createWhole(fileOf(id), claimant)) || (await owner(id)) === claimant,
  };
}
