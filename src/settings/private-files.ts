/**
 * Who may read what a process writes below DATA_DIR.
 *
 * PRIVATE-1 Files and folders of this process and its children are for its user alone: 0600 and 0700.
 * PRIVATE-2 A folder that is group-writable or setgid is shared on purpose: the group may read what is made below it. Other users
 *    never may.
 * PRIVATE-3 The mode of the folder itself is narrowed too, but only where this program has made everything in it: DATA_DIR may be
 *    set to /srv.
 */
import { chmodSync, readdirSync, statSync } from 'node:fs';

const GROUP_WRITES = 0o020;
const SETGID = 0o2000;

/** Every name that any release has made directly below DATA_DIR. */
const OWN_NAMES =
  /^(?:artifacts|jobs|index|payloads|creates|claims|wakes|scratch|simulator|(?:temporal\.db|identity|stack\.json|simulator\.port|cursor\.key|\.probe-).*)$/;

let inherited: number | null = null;

/** The umask that this process was started with; null as long as it is unchanged. */
export const inheritedUmask = (): number | null => inherited;

export function keepPrivate(folder: string): void {
  const { mode } = statSync(folder);
  const umask = umaskBelow(mode);
  const before = process.umask(umask);
  inherited ??= before;
  if ((mode & umask) !== 0 && hasOnlyOwnNames(folder)) narrow(folder, mode & 0o7777 & ~umask);
}

const umaskBelow = (mode: number): number =>
  (mode & GROUP_WRITES) !== 0 ? 0o007 : (mode & SETGID) !== 0 ? 0o027 : 0o077; // PRIVATE-1, PRIVATE-2

/** PRIVATE-3 */
const hasOnlyOwnNames = (folder: string): boolean =>
  readdirSync(folder).every((name) => OWN_NAMES.test(name));

/** Some file systems have no modes, and some folders another owner: the files in them are private all the same. */
function narrow(folder: string, mode: number): void {
  try {
    chmodSync(folder, mode);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EPERM', 'EACCES', 'ENOTSUP', 'EROFS', 'ENOSYS', 'EINVAL'].includes(code)) throw error;
  }
}
