import type { ProcessIdentity } from './process-liveness.mjs';

export interface HeldLock<Details> {
  /** Changes the other fields of the record. Without effect after the release. */
  update(details: Partial<Details>): void;
  /** Once; the file is kept, and says that the lock is free. */
  release(): void;
}

export type Attempt<Details> =
  { kind: 'held'; lock: HeldLock<Details> } | { kind: 'taken'; holder: Details & ProcessIdentity };

/**
 * Takes the lock at once, or returns its holder. The folder has to exist.
 * @param details makes the other fields of the record, from the record before it; null: there was none
 */
export function tryLock<Details extends object>(
  file: string,
  details: (last: Partial<Details> | null) => Details,
): Attempt<Details>;

/** Null when no live process holds it. */
export function holderOf(file: string): (ProcessIdentity & Record<string, unknown>) | null;
