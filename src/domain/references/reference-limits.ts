/**
 * How many images of one plan are fetched, in all and from one host; checked before any request is made. Pure. A storyboard
 * of 1,000 clips, each with its own start image on one host, passes.
 */
import { referencesIn, urlsOfComposite } from './clip-references.js';
import type { ResolvedClip } from '../plan/resolved.js';
import type { PlanProblem } from '../plan/plan-problems.schema.js';

const MAX_IMAGES = 2_000;
const MAX_IMAGES_OF_A_HOST = 1_500;

/** The distinct URLs that would be fetched for the clips. */
function imagesOf(clips: readonly ResolvedClip[]): Set<string> {
  return new Set(
    clips.flatMap((clip) => {
      const { urls = [], composite, media = [] } = referencesIn(clip) ?? {};
      const parts = composite === undefined ? [] : urlsOfComposite(composite);
      return [...urls, ...parts, ...media.map(({ url }) => url)];
    }),
  );
}

export function referenceProblems(clips: readonly ResolvedClip[]): PlanProblem[] {
  const images = imagesOf(clips);
  // Checked first: parsing very many URLs takes a while.
  if (images.size > MAX_IMAGES) {
    const message = `expected at most ${String(MAX_IMAGES)} different reference images in a plan, got ${String(images.size)}`;
    return [{ path: 'clip_prompts', message }];
  }
  const counts = new Map<string, number>();
  for (const url of images) {
    // Without the port: another port is the same host.
    const host = URL.canParse(url) ? new URL(url).hostname : '';
    counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > MAX_IMAGES_OF_A_HOST)
    .map(([host, count]) => ({
      path: 'clip_prompts',
      message: `expected at most ${String(MAX_IMAGES_OF_A_HOST)} different reference images of one host in a plan, got ${String(count)} of ${host}`,
    }));
}
