export const NODE_VERSIONS: readonly number[];
export function chosen(
  words: readonly string[],
  own?: number,
): { lane: 'fast' | 'full'; versions: number[] };
export interface Row {
  ok: boolean;
  version: string;
  counts?: string;
  seconds?: number;
  log?: string;
  error?: string;
}
export function tableOf(rows: readonly Row[]): string;
