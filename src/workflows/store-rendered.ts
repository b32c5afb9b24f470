/** Keeps what was rendered: tried until the provider deletes it, however often nobody came for the task. */
import type { Rendered, StoreClipResult } from '../contract/activities.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';
import { storing } from './activity-options.js';
import { causeOf, wasNeverStarted } from './activity-failure.js';
import { storeClipInput, storeClipOptions } from './activity-input.js';

/** Seconds that are left at least, for a file that may still be there. */
const LEAST = 30;

export async function storeRendered(
  clip: ResolvedClip,
  rendered: Rendered,
  store: string | undefined,
): Promise<StoreClipResult> {
  const input = storeClipInput(clip, rendered, { now: new Date().toISOString(), store });
  for (;;) {
    const left = (Date.parse(input.expires_at) - Date.now()) / 1000;
    const { storeClip } = storing(Math.max(LEAST, left));
    try {
      return await storeClip.executeWithOptions(storeClipOptions(clip), [input]);
    } catch (error) {
      if (!wasNeverStarted(causeOf(error))) throw error;
    }
  }
}
