/**
 * What the simulated provider knows about a model, read from its catalogue row: its version, what an input
 * costs, what file it makes, and what the model itself would only notice once it runs.
 */
import { createHash } from 'node:crypto';
import { priceFor } from '../domain/pricing/cost.js';
import { roundUsd } from '../domain/values/decimal.js';
import { brokenRules, effective } from '../domain/models/rules.js';
import type { Catalogue, ModelRow } from '../domain/models/row.js';

export type Input = Readonly<Record<string, unknown>>;

/** `usd` for the whole prediction, or for each second that it ran and `fee_usd` once. */
export type Price =
  { kind: 'whole'; usd: number } | { kind: 'run_second'; usd: number; fee_usd?: number };

export interface ClipShape {
  duration: number;
  fps: number;
  width: number;
  height: number;
}

/** The pinned version of a community model, else a stable stand-in for one that is not published. */
export const versionOf = (row: ModelRow): string =>
  row.version ?? createHash('sha256').update(row.id).digest('hex');

export const byVersion = (catalogue: Catalogue, version: string): ModelRow | undefined =>
  [...catalogue.values()].find((row) => versionOf(row) === version);

const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const DEFAULT_FPS = 24;

/** Seconds of video that an input asks for, whatever its model calls them; 5 where it leaves that open. */
function durationOf(row: ModelRow, input: Input): number {
  const { duration } = row;
  const asked = duration.input === null ? null : effective(row, input, duration.input);
  if (duration.unit === 'seconds') {
    const seconds = numberOf(asked) ?? firstLegal(row);
    return seconds > 0 ? seconds : 5;
  }
  const label = Object.entries(duration.labels ?? {}).find(([, word]) => word === asked)?.[0];
  const frames = numberOf(label === undefined ? asked : Number(label)) ?? firstLegal(row);
  return frames / fpsOf(row, input);
}

function firstLegal({ duration: { legal } }: ModelRow): number {
  return 'values' in legal ? (legal.values[0] ?? 5) : legal.min;
}

function fpsOf(row: ModelRow, input: Input): number {
  if (row.duration.unit === 'seconds') return row.output_fps ?? DEFAULT_FPS;
  const asked =
    row.duration.fps_input === null ? null : effective(row, input, row.duration.fps_input);
  return numberOf(asked) ?? row.duration.fps;
}

export function clipShapeOf(row: ModelRow, input: Input): ClipShape {
  const { input: name, values } = row.aspect_ratio;
  const asked = name === null ? values[0] : effective(row, input, name);
  return {
    duration: durationOf(row, input),
    fps: fpsOf(row, input),
    ...sizeOf(typeof asked === 'string' ? asked : ''),
  };
}

/** Width and height from a ratio such as `9:16` or a size such as `720x480`; 720 lines for a ratio. */
function sizeOf(asked: string): { width: number; height: number } {
  const size = /^(\d+)x(\d+)$/.exec(asked);
  if (size !== null) return { width: Number(size[1]), height: Number(size[2]) };
  const ratio = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(asked);
  const [across, down] = ratio === null ? [16, 9] : [Number(ratio[1]), Number(ratio[2])];
  const unit = 720 / Math.min(across, down);
  return { width: Math.round(across * unit), height: Math.round(down * unit) };
}

/** Null where no price is known. */
export function priceOf(row: ModelRow, input: Input): Price | null {
  const price = priceFor(row, input);
  if (price === null) return null;
  const { per, usd, fee_usd = 0 } = price;
  if (per === 'run_second') return { kind: 'run_second', usd, fee_usd };
  const units = per === 'second' ? durationOf(row, input) : 1;
  return { kind: 'whole', usd: roundUsd(usd * units + fee_usd) };
}

/** Combinations of inputs that the provider accepts and the model then refuses. */
export const breaksLate = (row: ModelRow, input: Input): boolean =>
  brokenRules(row, input).length > 0;
