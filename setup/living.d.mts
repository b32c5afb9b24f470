export interface ProcessIdentity {
  pid: number;
  /** Tells a process from a later one with the same id; null where the system does not say. */
  started: string | null;
}
export function thisProcess(): ProcessIdentity;
export function isAlive(identity: ProcessIdentity): boolean;
/** Linux' proc(5), from the state on; null elsewhere, and of a process that is not there. */
export function processStat(pid: number): string[] | null;
/** Zombies do not count. */
export function isRunning(pid: number): boolean;
