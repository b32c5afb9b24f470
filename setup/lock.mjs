/**
 * The one lock of this program: for set-up, for a database file, for a data folder. It is a file that names its holder,
 * and a dead holder loses it.
 *
 * The file holds a record: a generation, which only grows, the holder, and `released` after the holder has released it. To
 * become the holder of generation n+1, a process that has found generation n free or its holder dead
 *
 *   1. creates the ticket `<file>.<n+1>`, which holds its record: exactly one process can;
 *   2. reads the file again: a generation of n+1 or later there means that another process has created, used and removed
 *      this ticket before, and this process removes its own;
 *   3. writes the record into the file, and removes the ticket.
 *
 * LOCK-1 At most one process holds the lock. A ticket is removed only when the file says its generation or a later one, so
 *    a process that creates a ticket a second time learns so in step 2, however long it slept between two steps. A
 *    ticket that was never there before has no successor while its owner lives. The file is written by the holder alone,
 *    so its generation never goes back. That is also why a release keeps the file.
 * LOCK-2 A holder that is killed at any step leaves a file or a ticket with its name, and any process may take the next generation.
 * LOCK-3 File and tickets are whole or absent: the file is renamed into its place; a ticket is a folder, renamed into its place
 *    with the record in it, which fails where a folder that is not empty has the name. Hard links, which some file systems
 *    do not have, are not needed.
 * LOCK-4 A dead owner, or one whose id now belongs to another process, holds nothing. Processes are told apart by their ids, so
 *    all have to run on one machine, and in one container if in any.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isAlive, isRunning, thisProcess } from './process-liveness.mjs';

/**
 * One attempt. `details` makes the other fields of the record, from the record before it or null. It is called again when another
 * process was faster.
 */
export function tryLock(file, details = () => ({})) {
  for (;;) {
    const found = newest(file);
    if (holds(found.record)) return { kind: 'taken', holder: found.record };
    const generation = found.generation + 1;
    const last = read(file);
    const record = { ...details(last), ...thisProcess(), generation };
    if (!createTicket(file, record)) continue;
    const inUse = read(file)?.generation ?? 0;
    if (inUse >= generation) {
      remove(ticketOf(file, generation));
      continue;
    }
    write(file, record);
    sweep(file, generation);
    return { kind: 'held', lock: heldLock(file, record) };
  }
}

/** The record of a live holder, or null. */
export function holderOf(file) {
  const { record } = newest(file);
  return holds(record) ? record : null;
}

function heldLock(file, first) {
  let record = first;
  let isHeld = true;
  return {
    update(details) {
      if (!isHeld) return;
      record = { ...record, ...details };
      write(file, record);
    },
    release() {
      if (!isHeld) return;
      isHeld = false;
      try {
        write(file, { generation: record.generation, released: true });
      } catch {
        // As on a full disk: the lock ends with this process.
      }
    },
  };
}

const holds = (record) =>
  record !== null && record.released !== true && Number.isInteger(record.pid) && isAlive(record);

const ticketOf = (file, generation) => `${file}.${generation}`;
const RECORD = 'holder.json';

/** The newest generation: that of the file, or of a ticket whose owner has not written the file yet, or died first. */
function newest(file) {
  let record = read(file);
  let generation = record?.generation ?? 0;
  for (;;) {
    // Read before the file is read again: a ticket is removed only when the file has its generation.
    const ticket = read(path.join(ticketOf(file, generation + 1), RECORD));
    const now = read(file);
    if ((now?.generation ?? 0) > generation) {
      record = now;
      generation = now.generation;
      continue;
    }
    if (ticket === null) return { record, generation };
    record = ticket;
    generation += 1;
  }
}

/** Null when there is no file. A file without a record, as after a loss of power, has no holder. */
function read(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
  try {
    const record = JSON.parse(text);
    return typeof record === 'object' && record !== null ? record : {};
  } catch {
    return {};
  }
}

/** Drafts have the id of their process in their names, so that `sweep` finds those of dead processes. */
const draftOf = (file) => `${file}.draft-${process.pid}-${randomUUID()}`;

function write(file, record) {
  const draft = draftOf(file);
  try {
    writeFileSync(draft, JSON.stringify(record));
    renameSync(draft, file);
  } catch (error) {
    remove(draft);
    throw error;
  }
}

/** Errors of rename(2) where the name is taken, by platform and file system. */
const NAME_TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'ENOTDIR']);

/** LOCK-3 */
function createTicket(file, record) {
  const draft = draftOf(file);
  mkdirSync(draft);
  try {
    writeFileSync(path.join(draft, RECORD), JSON.stringify(record));
    renameSync(draft, ticketOf(file, record.generation));
    return true;
  } catch (error) {
    remove(draft);
    const isThere = read(path.join(ticketOf(file, record.generation), RECORD)) !== null;
    // Its owner may have removed it by now; then the file has its generation.
    const isUsed = (read(file)?.generation ?? 0) >= record.generation;
    if (NAME_TAKEN.has(error.code) && (isThere || isUsed)) return false;
    throw error;
  }
}

/** Removes used tickets, and the drafts of processes that were killed. */
function sweep(file, generation) {
  const prefix = `${path.basename(file)}.`;
  for (const name of readdirSync(path.dirname(file))) {
    if (!name.startsWith(prefix)) continue;
    const rest = name.slice(prefix.length);
    const [, pid] = /^draft-(\d+)-/.exec(rest) ?? [];
    const isUsed = /^\d+$/.test(rest) && Number(rest) <= generation;
    if (isUsed || (pid !== undefined && !isRunning(Number(pid)))) {
      remove(path.join(path.dirname(file), name));
    }
  }
}

/** A process that creates the same ticket again meanwhile removes it by itself. */
function remove(place) {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    // The next holder's `sweep` removes it.
  }
}
