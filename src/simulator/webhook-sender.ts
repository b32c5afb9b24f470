/**
 * Tells clients about their predictions, signed as Replicate signs. Timers exist only for predictions with a
 * webhook. Targets have to be this machine: a simulator calls no other.
 *
 * WEBHOOK-SEND-1 only `completed` is tried again, with growing pauses for about a minute; each try has the same id.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isLoopback } from '../domain/values/loopback.js';
import type { Core } from './core.js';
import { isEnded, nextChange, stateAt } from './lifecycle.js';
import { viewOf, type PredictionRecord } from './record.js';

/** One secret for the account, the same for every simulator. */
export const WEBHOOK_SECRET = `whsec_${Buffer.from('replicate-simulator-webhook-secret').toString('base64')}`;

const RETRY_SECONDS = [1, 2, 4, 8, 16, 29];
const LONGEST_TIMER = 2 ** 31 - 1;

type Event = 'start' | 'output' | 'completed';
const EVENTS: readonly Event[] = ['start', 'output', 'completed'];

export function sign(id: string, timestamp: number, body: string): string {
  const key = Buffer.from(WEBHOOK_SECRET.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key)
    .update(`${id}.${String(timestamp)}.${body}`)
    .digest('base64')}`;
}

export class Webhooks {
  readonly #core: Core;
  readonly #origin: () => string;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #sent = new Map<string, Set<Event>>();
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Out of order: what has not been told yet, newest first. */
  #kept: (() => Promise<void>)[] = [];
  #closed = false;

  constructor(core: Core, origin: () => string) {
    this.#core = core;
    this.#origin = origin;
    core.watch((record) => {
      this.schedule(record);
    });
  }

  /** Sends what is due now, and sets a timer for what comes next. */
  schedule(record: PredictionRecord): void {
    const { webhook } = record;
    if (webhook === null || this.#closed || !isLoopback(new URL(webhook).hostname)) return;
    const now = this.#core.now();
    for (const event of this.#due(record, now)) this.#send(record, webhook, event);
    clearTimeout(this.#timers.get(record.id));
    this.#timers.delete(record.id);
    const next = nextChange(record, now);
    if (isEnded(stateAt(record, now))) this.#sent.delete(record.id);
    // Out of order: once no further event is due, the kept ones are sent, the newest first.
    if (next === null && this.#timers.size === 0) void this.#tellKept();
    if (next === null) return;
    const again = (): void => {
      this.schedule(record);
    };
    this.#timers.set(record.id, setTimeout(again, Math.min(next - now + 1, LONGEST_TIMER)));
  }

  close(): void {
    this.#closed = true;
    for (const timer of [...this.#timers.values(), ...this.#retries]) clearTimeout(timer);
  }

  #due(record: PredictionRecord, now: number): Event[] {
    const { settings } = this.#core;
    const state = stateAt(record, now);
    const reached: Record<Event, boolean> = {
      start: state.status !== 'starting' && state.status !== 'aborted',
      output: state.status === 'succeeded',
      completed: isEnded(state) && (state.status !== 'aborted' || settings.webhook_for_aborted),
    };
    const sent = this.#sent.get(record.id) ?? new Set();
    this.#sent.set(record.id, sent);
    const filter = record.webhook_events_filter ?? ['output', 'completed'];
    const due = EVENTS.filter(
      (event) => reached[event] && !sent.has(event) && filter.includes(event),
    );
    for (const event of due) sent.add(event);
    return due;
  }

  async #tellKept(): Promise<void> {
    const kept = this.#kept;
    this.#kept = [];
    for (const tell of kept) await tell();
  }

  #send(record: PredictionRecord, webhook: string, event: Event): void {
    const { settings, now } = this.#core;
    const { webhooks } = settings;
    if (webhooks === 'lost') return;
    const body = JSON.stringify(
      viewOf(record, { now: now(), origin: this.#origin(), ...settings }),
    );
    const id = `msg_${randomBytes(12).toString('hex')}`;
    const tries = event === 'completed' ? RETRY_SECONDS : [];
    const post = (): Promise<void> => this.#post(webhook, { id, body }, tries);
    if (webhooks === 'out_of_order') this.#kept.unshift(post);
    else for (let copies = webhooks === 'duplicate' ? 2 : 1; copies > 0; copies -= 1) void post();
  }

  async #post(
    webhook: string,
    { id, body }: { id: string; body: string },
    [pause, ...later]: readonly number[],
  ): Promise<void> {
    const { settings, now } = this.#core;
    const timestamp = Math.floor((now() + settings.clock_offset_ms) / 1000);
    const arrived = await fetch(webhook, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': sign(id, timestamp, body),
        'x-replicate-simulator': 'true',
      },
      body,
    }).then(
      // A redirect is neither followed nor tried again.
      ({ status }) => status < 400,
      () => false,
    );
    if (arrived || pause === undefined || this.#closed) return;
    const timer = setTimeout(
      () => {
        this.#retries.delete(timer);
        void this.#post(webhook, { id, body }, later);
      },
      (pause * 1000) / settings.speed,
    );
    this.#retries.add(timer);
  }
}
