/**
 * Reads a plan file as JSON. A file that is too large, unreadable or not JSON is refused in one sentence, with line and
 * column of the mistake. The plan itself is checked elsewhere.
 */
import { open } from 'node:fs/promises';
import { MAX_PLAN_BYTES } from '../domain/plan/check-plan.schema.js';
import { mistakeIn } from '../client/json-mistake.js';

type PlanFile = { ok: true; value: unknown } | { ok: false; message: string };

const READING: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read',
  ENOTDIR: 'there is no such folder',
};

export async function readPlanFile(file: string): Promise<PlanFile> {
  const text = await readBounded(file);
  if (typeof text !== 'string') return { ok: false, message: text.message };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, message: `${file}: expected JSON, got ${whereBroken(text)}` };
  }
}

async function readBounded(file: string): Promise<string | { message: string }> {
  try {
    const bytes = await readAtMost(file, MAX_PLAN_BYTES + 1);
    if (bytes.length > MAX_PLAN_BYTES) {
      return { message: `${file}: expected at most ${String(MAX_PLAN_BYTES)} bytes, got more` };
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      return { message: `${file}: expected JSON in UTF-8, got other bytes` };
    }
    const code = String((error as NodeJS.ErrnoException).code);
    return { message: `${file}: expected a plan file, but ${READING[code] ?? String(error)}` };
  }
}

/** The file may be endless: no more than `limit` bytes are read. */
async function readAtMost(file: string, limit: number): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(limit);
    let length = 0;
    while (length < limit) {
      const { bytesRead } = await handle.read(buffer, length, limit - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}

function whereBroken(text: string): string {
  if (text.trim() === '') return 'an empty file';
  const { found, line, column } = mistakeIn(text);
  const got = found === null ? 'the end of the file' : JSON.stringify(found);
  return `${got} at line ${String(line)}, column ${String(column)}`;
}
