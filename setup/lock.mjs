/**
 * One set-up at a time in a checkout. Commands started together wait for one another and say for whom.
 *
 * L1 The lock appears whole or not at all (link), so a reader never sees half an owner.
 * L2 A dead owner, or one whose id now belongs to another process, holds nothing.
 * L3 Of several that take over from a dead owner, none removes the lock of another.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isRunning, startTime } from './processes.mjs';
import { say } from './say.mjs';

/** Resolves to the function that releases it. */
export async function lock(file, command) {
  mkdirSync(path.dirname(file), { recursive: true });
  const self = JSON.stringify({ pid: process.pid, started: startTime(process.pid), command });
  let announced = '';
  while (!create(file, self)) {
    const text = read(file);
    const owner = parse(text);
    if (text !== null && !holds(owner)) {
      takeAway(file, text);
      continue;
    }
    if (owner !== null && announced !== text) {
      announced = text;
      say(`waiting for \`npm run ${owner.command}\` (process ${owner.pid}), which is setting up`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return () => {
    if (read(file) === self) rmSync(file, { force: true });
  };
}

function create(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, file); // L1
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** L3: what was moved aside is looked at again; a fresh owner that came in between gets its lock back. */
function takeAway(file, stale) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (read(aside) !== stale) {
    try {
      linkSync(aside, file);
    } catch {
      // A third one is the owner by now; the two in between both hold on: builds are written to be repeatable.
    }
  }
  rmSync(aside, { force: true });
}

const holds = (owner) =>
  owner !== null && isRunning(owner.pid) && startTime(owner.pid) === owner.started; // L2

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function parse(text) {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
