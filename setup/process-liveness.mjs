/**
 * Is the process that a file names still alive? An id that a later process has been given counts as dead, where the system
 * tells when a process was started. So does a zombie: in a container whose first process never waits for its children, a
 * killed process stays one for ever.
 */
import { readFileSync } from 'node:fs';

export const thisProcess = () => ({ pid: process.pid, started: startTime(process.pid) });

export const isAlive = ({ pid, started }) =>
  isRunning(pid) && (started === null || started === startTime(pid));

export function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return processStat(pid)?.[0] !== 'Z';
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const startTime = (pid) => processStat(pid)?.[19] ?? null;

/** The fields of Linux' proc(5) after the name, which may hold spaces: from the state on. Null on other systems. */
export function processStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
