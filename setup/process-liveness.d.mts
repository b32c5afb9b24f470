export interface ProcessIdentity {
  pid: number;
  /** When the process was started: tells it from a later one with the same id. Null where the system does not say. */
  started: string | null;
}
export function thisProcess(): ProcessIdentity;
export function isAlive(identity: ProcessIdentity): boolean;
/** The fields of Linux' proc(5) from the state on; null on other systems, and when there is no such process. */
export function processStat(pid: number): string[] | null;
/** Zombies do not count. */
export function isRunning(pid: number): boolean;
