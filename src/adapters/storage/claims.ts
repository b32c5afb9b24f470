/**
 * Exclusive claims: which clip a prediction belongs to, across all jobs and workers that share the store. Replicate has no tags,
 * so a prediction in its list can be matched to a clip only by its input, and two clips may have the same input.
 *
 * CLAIMS-1 A prediction has at most one owner, for ever: its key is put once, or is taken.
 */
import { readText } from './store.js';
import type { Store } from './store.js';

export interface Claims {
  /** True when this owner has the prediction, from now on or already. */
  claim(predictionId: string, owner: string): Promise<boolean>;
  /** Null when the prediction is not claimed. */
  owner(predictionId: string): Promise<string | null>;
}

export function createClaims(store: Store): Claims {
  const keyOf = (id: string): string => `claims/${encodeURIComponent(id)}`;
  const owner = (id: string): Promise<string | null> => readText(store, keyOf(id));
  return {
    owner,
    // CLAIMS-1
    claim: async (id, claimant) =>
      (await store.putIfAbsent(keyOf(id), claimant)) || (await owner(id)) === claimant,
  };
}
