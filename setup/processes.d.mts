/** Every process that it started, and they; Linux only. */
export function descendants(pid: number): number[];
