/** Zombies do not count. */
export function isRunning(pid: number): boolean;
