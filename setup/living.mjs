/**
 * Does a process still live? Asked of files that a process left behind. An id used again by a later process counts as
 * dead, where the system tells when a process was started; and so does a killed one that its parent has not waited for
 * yet, as in a container whose first process never does.
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

/** Linux' proc(5), from the state on: counted after the name, which may hold spaces. Null elsewhere. */
export function processStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
