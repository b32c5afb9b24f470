export interface ProcessIdentity {
  pid: number;
  /** Tells a process from a later one with the same id; null where the system does not say. */
  started: string | null;
}
export function thisProcess(): ProcessIdentity;
export function isAlive(identity: ProcessIdentity): boolean;
/** Zombies do not count. */
export function isRunning(pid: number): boolean;
