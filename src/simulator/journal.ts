/**
 * An append-only file of facts, one JSON value a line. What `append` has taken survives `kill -9` of this
 * process (the write is done when it returns). It refuses to interpret the facts.
 *
 * JOURNAL-1 a last line cut short by a kill is ignored and overwritten, never guessed at.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface Journal<Fact> {
  /** What was recorded before, oldest first. */
  facts: readonly Fact[];
  append(fact: Fact): void;
  /** Replaces everything by these facts. */
  rewrite(facts: Iterable<Fact>): void;
  close(): void;
}

export function openJournal<Fact>(path: string): Journal<Fact> {
  mkdirSync(dirname(path), { recursive: true });
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  let file = openSync(path, 'a');
  // JOURNAL-1
  if (whole.length < text.length) ftruncateSync(file, Buffer.byteLength(whole));
  return {
    facts: readLines<Fact>(whole),
    append: (fact) => void writeSync(file, `${JSON.stringify(fact)}\n`),
    rewrite: (facts) => {
      const aside = `${path}.new`;
      writeFileSync(aside, [...facts].map((fact) => `${JSON.stringify(fact)}\n`).join(''));
      renameSync(aside, path);
      closeSync(file);
      file = openSync(path, 'a');
    },
    close: () => {
      closeSync(file);
    },
  };
}

/** A line that is not JSON can only come from a hand or a broken disk; the others still count. */
function readLines<Fact>(text: string): Fact[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as Fact];
    } catch {
      return [];
    }
  });
}

/** For a simulator without a directory: nothing is kept. */
export const noJournal = <Fact>(): Journal<Fact> => ({
  facts: [],
  append: () => undefined,
  rewrite: () => undefined,
  close: () => undefined,
});
