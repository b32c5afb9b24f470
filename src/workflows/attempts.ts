/**
 * The attempts of one clip that are over, and whether the cap lets there be another. Pure bookkeeping in workflow state.
 *
 * N1 A next attempt is granted once: its money is reserved when the one before is over, or when the cap changes.
 */
import type { AttemptOver } from '../domain/activity.js';
import type { Problem } from '../domain/failure-kinds.js';
import type { Clip } from '../domain/job.js';
import type { ClipMemory } from './contract.js';

export class Attempts {
  readonly #reserve: () => boolean;
  #over = 0;
  #granted = true;
  #lastError: Problem | null = null;
  #nextAt: string | null = null;

  /** `reserve` takes the money of one prediction, if the cap allows it. */
  constructor(reserve: () => boolean) {
    this.#reserve = reserve;
  }

  get over(): number {
    return this.#over;
  }

  get isGranted(): boolean {
    return this.#granted;
  }

  get memory(): Omit<ClipMemory, 'predictions' | 'claimed'> {
    return {
      failed_attempts: this.#over,
      granted: this.#granted,
      last_error: this.#lastError,
      next_attempt_at: this.#nextAt,
    };
  }

  /** What the clip shows while it waits for its next attempt. */
  get retrying(): Partial<Clip> {
    return {
      status: 'retrying',
      attempt: this.#over,
      retry_count: this.#over,
      error: this.#lastError,
      next_attempt_at: this.#nextAt,
    };
  }

  /** Of what is told twice, the second says nothing new. True when the next one is granted by this. */
  end({ attempt, error, delay }: Pick<AttemptOver, 'attempt' | 'error' | 'delay'>): boolean {
    if (attempt <= this.#over) return false;
    this.#over = attempt;
    this.#lastError = error;
    this.#nextAt = new Date(Date.now() + delay * 1000).toISOString();
    this.#granted = false;
    return this.grant();
  }

  /** N1: true when there is one that was not granted before. */
  grant(): boolean {
    if (this.#granted || !this.#reserve()) return false;
    this.#granted = true;
    return true;
  }
}
