/**
 * The simulated provider without its HTTP side: it accepts, cancels and releases predictions, writes each of
 * these facts into the journal before any client is answered, and keeps the ledger. Map: `lifecycle.ts` says what a
 * prediction is now, `plan-run.ts` what will become of it, `faults.ts` what may go wrong, `routes/` who may ask.
 *
 * JOURNALED-1 what a client has been told is in the journal.
 */
import { join } from 'node:path';
import type { Catalogue, ModelRow } from '../domain/models/row.js';
import { ClipStore } from './clip/clip-store.js';
import { Counters } from './counters.js';
import { FaultInjector, inputKey, tagsIn, textOf, type Subject } from './fault-injector.js';
import type { RunEffect } from './effects.js';
import { Holds } from './holds.js';
import { noJournal, openJournal, type Journal } from './journal.js';
import { stateAt } from './lifecycle.js';
import { RateLimits } from './rate-limits.js';
import { versionOf, type Input } from './published-models.js';
import { planRun } from './plan-run.js';
import { Predictions, type Totals } from './prediction-store.js';
import { captionOf, newId, type PredictionRecord } from './record.js';
import type { Settings } from './runtime-settings.js';
import { Uploads, type Upload } from './uploads.js';

export type Fact =
  | { fact: 'left'; totals: Totals }
  | { fact: 'created'; record: PredictionRecord }
  | { fact: 'canceled'; id: string; at: number }
  | { fact: 'released'; id: string; at: number }
  | { fact: 'listed'; id: string; at: number }
  | { fact: 'expired'; id: string; at: number }
  | { fact: 'fault_used'; key: string }
  | { fact: 'uploaded'; upload: Upload }
  | { fact: 'upload_deleted'; id: string }
  | { fact: 'reset' };

export interface CoreOptions {
  catalogue: Catalogue;
  settings: Settings;
  data_dir: string | null;
  now: () => number;
  log: (line: string) => void;
}

export interface Wish {
  row: ModelRow;
  input: Input;
  /** Milliseconds from the header Cancel-After, or null. */
  cancel_after: number | null;
  webhook: string | null;
  webhook_events_filter: string[] | null;
}

export class Core {
  readonly catalogue: Catalogue;
  readonly predictions = new Predictions();
  readonly holds = new Holds();
  readonly limits = new RateLimits();
  readonly counters = new Counters();
  readonly injector = new FaultInjector((key) => {
    this.#journal.append({ fact: 'fault_used', key });
  });
  readonly clips: ClipStore;
  readonly uploads: Uploads;
  readonly now: () => number;
  readonly log: (line: string) => void;
  settings: Settings;
  /** Spent when `credit_usd` was set last. */
  #creditFrom = 0;
  readonly #initial: Settings;
  readonly #journal: Journal<Fact>;
  readonly #watchers = new Set<(record: PredictionRecord) => void>();

  constructor(options: CoreOptions) {
    const directory = options.data_dir === null ? null : join(options.data_dir, 'simulator');
    this.catalogue = options.catalogue;
    this.settings = { ...options.settings };
    this.#initial = options.settings;
    this.now = options.now;
    this.log = options.log;
    this.clips = new ClipStore(directory === null ? null : join(directory, 'clips'));
    this.uploads = new Uploads(directory === null ? null : join(directory, 'uploads'), {
      uploaded: (upload) => {
        this.#journal.append({ fact: 'uploaded', upload });
      },
      deleted: (id) => {
        this.#journal.append({ fact: 'upload_deleted', id });
      },
    });
    this.#journal =
      directory === null ? noJournal() : openJournal(join(directory, 'journal.jsonl'));
    for (const fact of this.#journal.facts) this.#restore(fact);
    this.#creditFrom = this.predictions.totals(this.now()).usd;
  }

  /** Hears of every prediction whose course was set or changed. */
  watch(watcher: (record: PredictionRecord) => void): void {
    this.#watchers.add(watcher);
  }

  close(): void {
    this.#journal.close();
  }

  /** For faults before there is a prediction. */
  subjectOf(row: ModelRow, input: Input): Subject {
    const text = textOf(input);
    const { tags, unknown } = tagsIn(text);
    this.counters.noteUnknownFaults(unknown);
    const key = inputKey(row.id, input);
    return { model: row.id, text, tags, input_key: key, prediction_id: null };
  }

  subjectOfRecord(record: PredictionRecord): Subject {
    return {
      model: record.model,
      text: textOf(record.input) || record.caption,
      tags: record.tags,
      input_key: record.input_key,
      prediction_id: record.id,
    };
  }

  accept(wish: Wish, subject: Subject): PredictionRecord {
    const now = this.now();
    const id = newId();
    const effects = this.injector.takeAll('accept', subject) as RunEffect[];
    const { unlisted_seconds: unlisted, ...run } = planRun({
      ...wish,
      id,
      effects,
      settings: this.settings,
    });
    const record: PredictionRecord = {
      seq: this.predictions.nextSeq,
      id,
      model: wish.row.id,
      version: wish.row.official ? 'hidden' : versionOf(wish.row),
      input: wish.input,
      input_key: subject.input_key,
      caption: captionOf(wish.row, wish.input),
      tags: [...subject.tags],
      ...run,
      listed_at: unlisted === null ? null : now + unlisted * 1000,
      webhook: wish.webhook,
      webhook_events_filter: wish.webhook_events_filter,
      created_at: now,
      deadline: wish.cancel_after === null ? null : now + wish.cancel_after,
      cancel_at: null,
      released_at: null,
      expired_at: null,
    };
    this.#journal.append({ fact: 'created', record }); // JOURNALED-1
    this.predictions.add(record, this.settings.retention);
    this.#tell(record);
    return record;
  }

  cancel(record: PredictionRecord): void {
    const now = this.now();
    const at = now + this.settings.cancel_delay * 1000;
    if (!this.predictions.cancel(record, at, now)) return;
    this.#journal.append({ fact: 'canceled', id: record.id, at });
    this.#tell(record);
  }

  /** Predictions that are held in their present phase. */
  heldRuns(): PredictionRecord[] {
    const now = this.now();
    return this.predictions
      .alive(now)
      .filter(
        (record) => record.released_at === null && record.plan.hold === stateAt(record, now).status,
      );
  }

  releaseRun(record: PredictionRecord): void {
    record.released_at = this.now();
    this.#journal.append({ fact: 'released', id: record.id, at: record.released_at });
    this.#tell(record);
  }

  /** Predictions that the listing does not show until they are released. */
  unlisted(): PredictionRecord[] {
    return [...this.predictions.newest()].filter(({ listed_at }) => listed_at === null);
  }

  list(record: PredictionRecord): void {
    record.listed_at = this.now();
    this.#journal.append({ fact: 'listed', id: record.id, at: record.listed_at });
  }

  /** Removes what it was made of and what it made, long before its time. */
  expire(record: PredictionRecord): void {
    record.expired_at = this.now();
    this.#journal.append({ fact: 'expired', id: record.id, at: record.expired_at });
  }

  change(settings: Partial<Settings>): void {
    this.settings = { ...this.settings, ...settings };
    if ('credit_usd' in settings) this.#creditFrom = this.predictions.totals(this.now()).usd;
    this.limits.refill();
  }

  get hasCredit(): boolean {
    const { credit_usd: credit } = this.settings;
    return credit === null || this.predictions.totals(this.now()).usd - this.#creditFrom < credit;
  }

  /** As if it were new: no predictions, no bills, no faults, the settings it was started with. */
  reset(): void {
    this.#journal.rewrite([{ fact: 'reset' }]);
    this.holds.release(() => true);
    this.#forget();
    this.counters.reset();
    this.settings = { ...this.#initial };
    this.limits.refill();
    this.#creditFrom = 0;
  }

  /** Leaves out what no longer matters. Only for the one that owns the port: two may not write at once. */
  compact(): void {
    if (this.#journal.facts.length < 20_000) return;
    const { left, records } = this.predictions.snapshot();
    const facts: Fact[] = [{ fact: 'left', totals: left }];
    for (const record of records) facts.push({ fact: 'created', record });
    for (const upload of this.uploads.list()) facts.push({ fact: 'uploaded', upload });
    for (const key of this.injector.uses()) facts.push({ fact: 'fault_used', key });
    this.#journal.rewrite(facts);
  }

  #tell(record: PredictionRecord): void {
    for (const watcher of this.#watchers) watcher(record);
  }

  #forget(): void {
    this.predictions.clear();
    this.injector.forget();
    this.uploads.clear();
  }

  #restore(fact: Fact): void {
    switch (fact.fact) {
      case 'left':
        this.predictions.begin(fact.totals);
        return;
      case 'created':
        this.predictions.add(fact.record, this.settings.retention);
        if (fact.record.cancel_at !== null) this.predictions.countCancel();
        return;
      case 'canceled': {
        const record = this.predictions.get(fact.id);
        if (record !== undefined) this.predictions.cancel(record, fact.at, fact.at);
        return;
      }
      case 'released': {
        const record = this.predictions.get(fact.id);
        if (record !== undefined) record.released_at = fact.at;
        return;
      }
      case 'listed': {
        const record = this.predictions.get(fact.id);
        if (record !== undefined) record.listed_at = fact.at;
        return;
      }
      case 'expired': {
        const record = this.predictions.get(fact.id);
        if (record !== undefined) record.expired_at = fact.at;
        return;
      }
      case 'fault_used':
        this.injector.remember(fact.key);
        return;
      case 'uploaded':
        this.uploads.restore(fact.upload);
        return;
      case 'upload_deleted':
        this.uploads.forget(fact.id);
        return;
      case 'reset':
        this.#forget();
    }
  }
}
