/** Versions of Node that this program runs on: what `engines` of package.json promises, and what every command checks. */

/** Of Node 20: undici needs 20.18.1, sharp 20.9. Odd versions before 22 are left out by some packages. */
export const OLDEST_NODE = [20, 18, 1];
export const NEXT_NODE = 22;

/** In words of npm. */
export const NODE_RANGE = `^${OLDEST_NODE.join('.')} || >=${NEXT_NODE}`;

export function runsOn(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  const [oldest, oldestMinor, oldestPatch] = OLDEST_NODE;
  if (major !== oldest) return major >= NEXT_NODE;
  return minor > oldestMinor || (minor === oldestMinor && patch >= oldestPatch);
}
