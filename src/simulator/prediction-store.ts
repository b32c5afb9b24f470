/**
 * Every prediction the simulator knows, and the ledger of them: creates, bills, cancels, the most that were
 * alive at once. It keeps what it is told and asks the clock only through `now` arguments.
 *
 * BILL-1 a prediction is billed exactly once, when it is first seen to have ended.
 * BILL-2 memory is bounded: beyond the limit the oldest ended predictions leave, and the ledger keeps their sums.
 */
import { isEnded, stateAt } from './lifecycle.js';
import { billOf, isRemoved, tokenOf, type Bill, type PredictionRecord } from './record.js';

const MAX_KEPT = 10_000;

export interface Totals {
  creates: number;
  bills: number;
  usd: number;
  cancels: number;
  peak_alive: number;
}

export interface ListFilter {
  created_after: number;
  created_before: number;
}

export class Predictions {
  /** In order of creation. */
  readonly #records = new Map<string, PredictionRecord>();
  readonly #tokens = new Map<string, string>();
  readonly #alive = new Set<PredictionRecord>();
  readonly #bills = new Map<string, Bill>();
  #totals: Totals = { creates: 0, bills: 0, usd: 0, cancels: 0, peak_alive: 0 };
  #nextSeq = 1;
  /** Records before this position have had their inputs dropped from memory. */
  #erasedBelow = 0;

  get nextSeq(): number {
    return this.#nextSeq;
  }

  add(record: PredictionRecord, retention: number): void {
    this.settle(record.created_at);
    this.#records.set(record.id, record);
    this.#tokens.set(tokenOf(record.id), record.id);
    this.#alive.add(record);
    this.#nextSeq = record.seq + 1;
    this.#totals.creates += 1;
    this.#totals.peak_alive = Math.max(this.#totals.peak_alive, this.#alive.size);
    this.#shrink(record.created_at, retention);
  }

  get(id: string): PredictionRecord | undefined {
    return this.#records.get(id);
  }

  byToken(token: string): PredictionRecord | undefined {
    return this.#records.get(this.#tokens.get(token) ?? '');
  }

  /** Requests its end at `at`. False when it has ended already, or its end was requested before. */
  cancel(record: PredictionRecord, at: number, now: number): boolean {
    if (isEnded(stateAt(record, now)) || record.cancel_at !== null) return false;
    record.cancel_at = at;
    this.#totals.cancels += 1;
    return true;
  }

  /** Newest first. */
  *newest(): Generator<PredictionRecord> {
    const records = [...this.#records.values()];
    for (let index = records.length - 1; index >= 0; index -= 1) {
      const record = records[index];
      if (record !== undefined) yield record;
    }
  }

  list(filter: ListFilter, now: number): PredictionRecord[] {
    return [...this.newest()].filter(
      ({ created_at: created, listed_at: listed }) =>
        created >= filter.created_after &&
        created < filter.created_before &&
        (listed ?? Infinity) <= now,
    );
  }

  alive(now: number): readonly PredictionRecord[] {
    this.settle(now);
    return [...this.#alive];
  }

  totals(now: number): Totals {
    this.settle(now);
    return { ...this.#totals };
  }

  bill(id: string): Bill | null {
    return this.#bills.get(id) ?? null;
  }

  /** BILL-1: bills what has ended by now. */
  settle(now: number): void {
    for (const record of this.#alive) {
      const state = stateAt(record, now);
      if (!isEnded(state)) continue;
      this.#alive.delete(record);
      const bill = billOf(record, state);
      this.#bills.set(record.id, bill);
      if (!bill.billed) continue;
      this.#totals.bills += 1;
      this.#totals.usd += bill.usd;
    }
  }

  clear(): void {
    this.#records.clear();
    this.#tokens.clear();
    this.#alive.clear();
    this.#bills.clear();
    this.#totals = { creates: 0, bills: 0, usd: 0, cancels: 0, peak_alive: 0 };
  }

  /** What the journal needs so that a new store has the same sums: those of removed predictions, then the rest. */
  snapshot(): { left: Totals; records: PredictionRecord[] } {
    const records = [...this.#records.values()];
    const bills = [...this.#bills.values()].filter(({ billed }) => billed);
    const left = {
      creates: this.#totals.creates - records.length,
      bills: this.#totals.bills - bills.length,
      usd: this.#totals.usd - bills.reduce((sum, { usd }) => sum + usd, 0),
      cancels: this.#totals.cancels - records.filter((record) => record.cancel_at !== null).length,
      peak_alive: this.#totals.peak_alive,
    };
    return { left, records };
  }

  /** Begins with the sums of predictions that are no longer known one by one. */
  begin(left: Totals): void {
    this.#totals = { ...left };
  }

  /** Counts a cancel that an earlier run recorded together with its prediction. */
  countCancel(): void {
    this.#totals.cancels += 1;
  }

  #shrink(now: number, retention: number): void {
    for (const record of this.#records.values()) {
      if (record.seq < this.#erasedBelow) continue;
      if (!isRemoved(record, now, retention)) break;
      record.input = {};
      delete record.echo?.input;
      this.#erasedBelow = record.seq + 1;
    }
    for (const record of this.#records.values()) {
      if (this.#records.size <= MAX_KEPT) return;
      if (this.#alive.has(record)) continue;
      this.#records.delete(record.id);
      this.#tokens.delete(tokenOf(record.id));
      this.#bills.delete(record.id);
    }
  }
}
