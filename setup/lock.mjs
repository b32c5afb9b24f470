/**
 * The one lock of this program: over set-up, over a database file, over a data folder. It is a file that says who holds
 * it, and it is taken over from a holder that has died.
 *
 * The file holds a record: a generation, which only grows, the holder, and `released` when the holder has let go. To
 * become the holder of generation n+1, a process that found generation n free or its holder dead
 *
 *   1. creates the ticket `<file>.<n+1>`, which holds its record: exactly one process can;
 *   2. reads the file again: a generation of n+1 or later there means that the ticket was won, used and removed
 *      long ago, and this process withdraws its own;
 *   3. writes the record into the file, and removes the ticket.
 *
 * L1 At most one process holds the lock. A ticket is removed only when the file says its generation or a later one, so
 *    a process that creates a ticket a second time learns so in step 2, however long it slept between two steps. A
 *    ticket that was never there before has no successor while its owner lives. The file is written by the holder alone,
 *    so its generation never goes back. That is also why a release leaves the file.
 * L2 A holder killed anywhere leaves a file or a ticket with its name, and the next generation is open to all.
 * L3 File and tickets are whole or absent: the file is renamed into its place; a ticket is a folder, renamed into its place
 *    with the record in it, which fails where a folder that is not empty has the name. Hard links, which some file systems
 *    do not have, are not needed.
 * L4 A dead owner, or one whose id now belongs to another process, holds nothing. Processes are told apart by their ids, so
 *    all have to run on one machine, and in one container if in any.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isAlive, isRunning, thisProcess } from './process-liveness.mjs';

/**
 * One try. `details` makes what the record says besides the holder, from the record before it, or null; it is called again
 * when another process was quicker.
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
        // On a full disk the lock ends with this process.
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
    // Read before the file is read again: a ticket goes only when the file says its generation.
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

/** Null for what is not there; what is there and says nothing, torn by a loss of power, is a record of no holder. */
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

/** Drafts carry the id of their process, so that `sweep` can tell which are left over. */
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

/** What rename(2) says where the name is taken, by platform and file system. */
const TAKEN = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES', 'ENOTDIR']);

/** L3 */
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
    // The winner may have removed it by now; then the file says its generation.
    const isUsed = (read(file)?.generation ?? 0) >= record.generation;
    if (TAKEN.has(error.code) && (isThere || isUsed)) return false;
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

/** A process that creates the same ticket again meanwhile keeps it, and withdraws it itself. */
function remove(place) {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    // Swept by the next holder.
  }
}
