import type { ProcessIdentity } from './process-liveness.mjs';

export interface HeldLock<Details> {
  /** Changes what the record says besides the holder. Without effect after the release. */
  update(details: Partial<Details>): void;
  /** Once; the file stays, and says that it is free. */
  release(): void;
}

export type Attempt<Details> =
  { kind: 'held'; lock: HeldLock<Details> } | { kind: 'taken'; holder: Details & ProcessIdentity };

/**
 * Takes the lock at once, or says who holds it. The folder has to exist.
 * @param details what the record says besides the holder, made from the record before it; null: there was none
 */
export function tryLock<Details extends object>(
  file: string,
  details: (last: Partial<Details> | null) => Details,
): Attempt<Details>;

/** Null when no live process holds it. */
export function holderOf(file: string): (ProcessIdentity & Record<string, unknown>) | null;
