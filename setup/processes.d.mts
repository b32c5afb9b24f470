/** Zombies do not count. */
export function isRunning(pid: number): boolean;
/** Every process that it started, and they; Linux only. */
export function descendants(pid: number): number[];
