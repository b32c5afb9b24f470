/**
 * Figures that are not operations a second: measured once in a run, printed as one table at its end
 * (setup/run-bench.mjs). Ratios compare rows of one table with its first, hence with the same machine at the same time.
 */
import { appendFileSync } from 'node:fs';
import { bench } from 'vitest';

/** Cells of one row by column; a column in `ratios` is followed by how many times the first row's it is. */
export type Row = Readonly<Record<string, string | number>>;

interface Table {
  title: string;
  rows: Row[];
  ratios: string[];
}

export function report(table: Table): void {
  const [first] = table.rows;
  const rows = table.rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([column, cell]) => {
        const base = first?.[column];
        const isRatio = table.ratios.includes(column) && typeof cell === 'number';
        return isRatio && typeof base === 'number'
          ? [
              [column, short(cell)],
              [`× ${column}`, base === 0 ? '–' : short(cell / base)],
            ]
          : [[column, typeof cell === 'number' ? short(cell) : cell]];
      }),
    ),
  );
  write({ title: table.title, rows });
}

type Line = { title: string; rows: Row[] } | { failed: string; why: string };

/** For the end of the run (setup/run-bench.mjs). */
function write(line: Line): void {
  const file = process.env['BENCH_FIGURES'];
  if (file === undefined) console.log(line);
  else appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Three digits that say something. */
export const short = (value: number): string =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));

/**
 * A measurement that is made once, without warming up. When it throws, the run continues and fails at its end: a benchmark that
 * throws makes vitest 4.1 wait forever.
 */
export function once(name: string, measure: () => Promise<void>): void {
  // An async function: what only returns a promise, tinybench calls once more to find that out.
  const kept = async (): Promise<void> => {
    try {
      await measure();
    } catch (error) {
      write({ failed: name, why: error instanceof Error ? (error.stack ?? '') : String(error) });
    }
  };
  bench(name, kept, { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0, throws: true });
}

/** The value that a share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { seconds: (performance.now() - start) / 1000, value };
}
