/**
 * A prediction as the simulator keeps it: everything decided when it was accepted. What it looks like at a
 * moment follows from this and the clock alone (`lifecycle.ts`), here as the object that clients see.
 */
import { createHash, randomBytes } from 'node:crypto';
import { roundUsd } from '../domain/values/decimal.js';
import type { ModelRow } from '../domain/models/row.js';
import type { OutputShape } from './effects.js';
import { isEnded, renderedShare, stateAt, type Course, type State } from './lifecycle.js';
import { holdsFile, SHAPES } from './output-shapes.js';
import { progressLog } from './model-log.js';
import type { ClipShape, Input, Price } from './published-models.js';

export interface PredictionRecord extends Course {
  /** Position in the order of creation. */
  seq: number;
  id: string;
  model: string;
  /** `hidden` for official models. */
  version: string;
  input: Input;
  input_key: string;
  /** The beginning of the input's text: what a person recognizes it by when the input is gone. */
  caption: string;
  /** Fault tags as they are written in the input. */
  tags: string[];
  speed: number;
  price: Price | null;
  bills_failed: boolean;
  clip: ClipShape;
  output: OutputShape;
  /** Its end says nothing of its run time. Absent in what older simulators wrote. */
  unmetered?: boolean;
  /** The first request for its file removes input and output, and gets nothing. */
  expires: boolean;
  /** When that has happened. */
  expired_at: number | null;
  /** What it says that it was sent, and of which model it is, where that is not the truth. */
  echo?: { input?: Input; model?: string };
  /** The listing does not show it before; null: until it is released. */
  listed_at: number | null;
  webhook: string | null;
  webhook_events_filter: string[] | null;
}

interface Viewpoint {
  now: number;
  /** The address under which the client reached the simulator. */
  origin: string;
  retention: number;
  early_output_share: number;
  /** The bytes of its file, for outputs that hold it; without them they are not there yet. */
  file?: Uint8Array;
  clock_offset_ms: number;
}

export const tokenOf = (id: string): string =>
  createHash('sha256').update(`delivery ${id}`).digest('hex').slice(0, 40);

export function isRemoved(record: PredictionRecord, now: number, retention: number): boolean {
  const state = stateAt(record, now);
  if (!isEnded(state)) return false;
  return now >= (record.expired_at ?? state.ended_at + retention * 1000);
}

/** Replicate's prediction object. */
export function viewOf(record: PredictionRecord, view: Viewpoint): Record<string, unknown> {
  const state = stateAt(record, view.now);
  const removed = isRemoved(record, view.now, view.retention);
  const time = (moment: number): string => said(moment, view);
  const api = `${view.origin}/v1/predictions/${record.id}`;
  return {
    id: record.id,
    model: record.echo?.model ?? record.model,
    version: record.version,
    input: removed ? {} : (record.echo?.input ?? record.input),
    output: removed ? null : outputOf(record, state, view),
    logs: removed ? null : logsOf(record, state, view.now),
    data_removed: removed,
    error: state.status === 'failed' ? state.error : null,
    source: 'api',
    status: state.status,
    created_at: time(record.created_at),
    ...('started_at' in state ? { started_at: time(state.started_at) } : {}),
    ...(isEnded(state)
      ? {
          completed_at: time(state.ended_at),
          ...(record.unmetered === true ? {} : { metrics: metricsOf(record, state) }),
        }
      : {}),
    ...(record.deadline === null ? {} : { deadline: time(record.deadline) }),
    ...webhookOf(record),
    urls: { web: `${view.origin}/p/${record.id}`, get: api, cancel: `${api}/cancel` },
  };
}

/** A moment as the provider says it, by its own clock. Everything inside is by this machine's. */
export const said = (
  moment: number,
  { clock_offset_ms }: Pick<Viewpoint, 'clock_offset_ms'>,
): string => new Date(moment + clock_offset_ms).toISOString();

const webhookOf = ({ webhook, webhook_events_filter: filter }: PredictionRecord): object => ({
  ...(webhook === null ? {} : { webhook }),
  ...(filter === null ? {} : { webhook_events_filter: filter }),
});

function outputOf(record: PredictionRecord, state: State, view: Viewpoint): unknown {
  const early =
    state.status === 'processing' &&
    view.early_output_share > 0 &&
    renderedShare(record, view.now) >= 1 - view.early_output_share;
  if (state.status !== 'succeeded' && !early) return null;
  if (holdsFile(record.output) && view.file === undefined) return null;
  const url = `${view.origin}/delivery/${tokenOf(record.id)}/output.mp4`;
  return SHAPES[record.output]({ url, inline: view.file ?? new Uint8Array() });
}

function logsOf(record: PredictionRecord, state: State, now: number): string {
  if (!('started_at' in state)) return '';
  const share = renderedShare(record, now);
  const until = isEnded(state) ? state.ended_at : now;
  return progressLog(share, ((until - state.started_at) * record.speed) / 1000);
}

/** Seconds as the provider would have metered them, whatever the simulator's speed. */
function metricsOf(record: PredictionRecord, state: State & { ended_at: number }): object {
  const seconds = (from: number): number =>
    Math.round((state.ended_at - from) * record.speed) / 1000;
  return {
    ...('started_at' in state ? { predict_time: seconds(state.started_at) } : {}),
    total_time: seconds(record.created_at),
  };
}

export interface Bill {
  billed: boolean;
  usd: number;
}

/** What an ended prediction costs: `aborted` nothing, the others what their model says. */
export function billOf(record: PredictionRecord, state: State & { ended_at: number }): Bill {
  const free = state.status === 'aborted' || (state.status !== 'succeeded' && !record.bills_failed);
  if (free || !('started_at' in state)) return { billed: false, usd: 0 };
  if (record.price?.kind !== 'run_second') return { billed: true, usd: record.price?.usd ?? 0 };
  const seconds = Math.round((state.ended_at - state.started_at) * record.speed) / 1000;
  const { usd, fee_usd = 0 } = record.price;
  return { billed: true, usd: roundUsd(usd * seconds + fee_usd) };
}

/** 26 lowercase letters and digits, as Replicate's are. */
export function newId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return [...randomBytes(26)].map((byte) => letters[byte % letters.length]).join('');
}

export function captionOf(row: ModelRow, input: Input): string {
  const prompt = row.prompt === null ? undefined : input[row.prompt];
  return (typeof prompt === 'string' ? prompt : row.title).slice(0, 200);
}
