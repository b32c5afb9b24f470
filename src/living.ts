/**
 * Does a process still live? Asked by whoever finds a file that a process left behind. An id used again by a later
 * process counts as dead, where the system tells when a process was started; and so does a killed one that nobody has
 * waited for yet, as in a container whose first process never does.
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
    return stat(pid)?.[0] !== 'Z';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const startTime = (pid: number): string | null => stat(pid)?.[19] ?? null;

/** Linux' proc(5), from the state on: counted after the name, which may hold spaces. Null elsewhere. */
function stat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
