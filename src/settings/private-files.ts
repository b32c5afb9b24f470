/**
 * Who may read what a process writes below DATA_DIR.
 *
 * P1 What this process and its children make is for its user alone: files 0600, folders 0700.
 * P2 A folder that is group-writable or setgid is shared on purpose: what is made below it is for the group as well.
 *    Others never get anything.
 * P3 The folder itself is narrowed accordingly, but only where everything in it is ours: DATA_DIR may be set to /srv.
 */
import { chmodSync, readdirSync, statSync } from 'node:fs';

const GROUP_WRITES = 0o020;
const SETGID = 0o2000;

/** Everything that any release has put directly below DATA_DIR. */
const OURS =
  /^(?:artifacts|jobs|index|payloads|creates|claims|wakes|simulator|(?:temporal\.db|identity|stack\.json|simulator\.port|cursor\.key|\.probe-).*)$/;

let theirs: number | null = null;

/** The umask that the person has given this process; null as long as nothing has changed it. */
export const umaskOfPerson = (): number | null => theirs;

export function keepPrivate(folder: string): void {
  const { mode } = statSync(folder);
  const umask = umaskBelow(mode);
  const before = process.umask(umask);
  theirs ??= before;
  if ((mode & umask) !== 0 && isOurs(folder)) narrow(folder, mode & 0o7777 & ~umask);
}

const umaskBelow = (mode: number): number =>
  (mode & GROUP_WRITES) !== 0 ? 0o007 : (mode & SETGID) !== 0 ? 0o027 : 0o077; // P1, P2

const isOurs = (folder: string): boolean => readdirSync(folder).every((name) => OURS.test(name)); // P3

/** Some file systems have no modes, and some folders another owner: files are private all the same. */
function narrow(folder: string, mode: number): void {
  try {
    chmodSync(folder, mode);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EROFS', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
  }
}
