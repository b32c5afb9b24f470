/**
 * Versions of Node that this program runs on: what `engines` of package.json promises, and what every command checks. Below
 * these, packages of Fastify cannot `require` the ES modules that they need; odd versions before 22 are left out by others.
 */
export const OLDEST_NODE = [20, 19, 0];
export const OLDEST_NEXT = [22, 12, 0];

/** In words of npm. */
export const NODE_RANGE = `^${OLDEST_NODE.join('.')} || >=${OLDEST_NEXT.join('.')}`;

export function runsOn(version) {
  const parts = version.split('.').map(Number);
  return (parts[0] === OLDEST_NODE[0] && isFrom(parts, OLDEST_NODE)) || isFrom(parts, OLDEST_NEXT);
}

function isFrom(version, oldest) {
  const at = oldest.findIndex((part, index) => part !== version[index]);
  return at < 0 || version[at] > oldest[at];
}
