/**
 * Does a process still live? Asked by whoever finds a file that a process left behind. An id used again by a later
 * process counts as dead, where the system tells when a process was started.
 */
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  pid: number;
  /** Tells a process from a later one with the same id; null where the system does not say. */
  started: string | null;
}

export const thisProcess = (): ProcessIdentity => ({
  pid: process.pid,
  started: startTime(process.pid),
});

export const isAlive = ({ pid, started }: ProcessIdentity): boolean =>
  isRunning(pid) && (started === null || started === startTime(pid));

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of Linux' stat(5), counted after the name, which may hold spaces. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
