/**
 * DATA_DIR before it is used. The check changes nothing: a command that refuses a plan leaves no folder behind. Commands that
 * write to it try a write before they wait for anything: permissions do not tell for root, nor on every file system.
 */
import { accessSync, constants, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { keepPrivate } from './private-files.js';
import { ConfigError } from './config-error.js';
import { errorMessage } from '../domain/values/error-message.js';

/** A folder, or a path where one can be made. */
export function dataDirOf(folder: string): string {
  const found = nearest(path.resolve(folder));
  if (!statSync(found).isDirectory()) throw refusal(folder, `${found} is a file`);
  if (found !== path.resolve(folder)) attempt(folder, () => accessSync(found, constants.W_OK));
  return folder;
}

/** Makes the folder where there is none, for this user alone (private-files.ts). One level at a time: Node's `recursive` never returns for a place below /proc. */
export function makeDataDir(folder: string): void {
  const place = path.resolve(folder);
  for (let last = nearest(place); last !== place;) {
    const [next = ''] = path.relative(last, place).split(path.sep);
    last = path.join(last, next);
    attempt(folder, () => makeUnlessThere(last));
  }
  attempt(folder, () => keepPrivate(place));
}

function makeUnlessThere(place: string): void {
  try {
    mkdirSync(place);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Makes the folder, and tries a write in it. */
export function requireWritable(folder: string): void {
  makeDataDir(folder);
  attempt(folder, () => rmdirSync(mkdtempSync(path.join(folder, '.probe-'))));
}

function nearest(place: string): string {
  const isThere = attempt(place, () => statSync(place, { throwIfNoEntry: false })) !== undefined;
  const parent = path.dirname(place);
  return isThere || parent === place ? place : nearest(parent);
}

function attempt<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusal(folder, errorMessage(error), error);
  }
}

const refusal = (folder: string, why: string, cause?: unknown): ConfigError =>
  new ConfigError(
    `DATA_DIR: expected a folder that can be written, got "${folder}" (${why}); set DATA_DIR to another one.`,
    { cause },
  );
