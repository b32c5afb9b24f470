/** The oldest version of its major, as major, minor and patch. */
export const OLDEST_NODE: readonly [number, number, number];
/** The oldest version beyond that major. */
export const OLDEST_NEXT: readonly [number, number, number];
/** In words of npm. */
export const NODE_RANGE: string;
export function runsOn(version: string): boolean;
