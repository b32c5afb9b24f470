/** Reads what people send with signals, which may be anything; null means that it makes no sense. Pure. */
const field = (input: unknown, name: string): unknown =>
  typeof input === 'object' && input !== null
    ? (input as Record<string, unknown>)[name]
    : undefined;

export function asClipIndex(input: unknown): number | null {
  const value = field(input, 'clip_index');
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

export function asUsd(input: unknown): number | null {
  const value = field(input, 'max_cost_usd');
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
