/** How long clips render, and the least time in which so many at once can be rendered. Pure. */

/** Seconds between `least` and `most`, evenly spread, the same for a seed in every run. */
export function uneven(
  count: number,
  [least, most]: readonly [number, number],
  seed = 1,
): number[] {
  const next = mulberry32(seed);
  return Array.from({ length: count }, () => rounded(least + (most - least) * next()));
}

export const even = (count: number, seconds: number): number[] =>
  Array.from({ length: count }, () => seconds);

const rounded = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Dispatch = 'batches' | 'window';

/** Seconds that are left when nothing but rendering takes time: clips start in the order of the plan. */
export const BEST: Record<Dispatch, (renders: readonly number[], atOnce: number) => number> = {
  batches(renders, atOnce) {
    const starts = renders.map((_, index) => index).filter((index) => index % atOnce === 0);
    return starts
      .map((start) => Math.max(...renders.slice(start, start + atOnce)))
      .reduce((sum, longest) => sum + longest, 0);
  },
  window(renders, atOnce) {
    const lanes = Array.from({ length: atOnce }, () => 0);
    for (const seconds of renders) {
      const free = lanes.indexOf(Math.min(...lanes));
      lanes[free] = (lanes[free] ?? 0) + seconds;
    }
    return Math.max(...lanes);
  },
};

/** What a client reads that asks for each prediction by itself, every so many seconds, until it has ended. */
export const readsOfPolling = (renders: readonly number[], interval: number): number =>
  renders.reduce((sum, seconds) => sum + Math.ceil(seconds / interval), 0);
