/**
 * How fast, how light and how safe the whole stack is, each row on a stand of its own. BENCH_ROWS=uneven,kill takes some of the
 * rows, BENCH_REPEAT=3 the median of three; BENCH_SHARE=0.1 a tenth of the clips and jobs of `many` and `fair`.
 */
import { once, report, short } from './support/figures.js';
import { median } from './speed/order.js';
import { ROWS } from './speed/rows.js';
import type { Measured, Row } from './speed/rows.js';
import { startOwnStand } from './speed/stand.js';

const REPEAT = Number(process.env['BENCH_REPEAT'] ?? 1);
const chosen = (process.env['BENCH_ROWS'] ?? Object.keys(ROWS).join()).split(',');

async function measure({ measure }: Row): Promise<Measured> {
  if ('own' in measure) return measure.own();
  await using stand = await startOwnStand();
  return await measure.any(stand); // before the stand is closed
}

for (const name of chosen) {
  const row = ROWS[name];
  if (row === undefined) {
    throw new Error(`BENCH_ROWS: expected some of ${Object.keys(ROWS).join()}, got "${name}"`);
  }
  once(name, async () => {
    const runs: Measured[] = [];
    while (runs.length < REPEAT) runs.push(await measure(row));
    const figures = Object.keys(runs[0] ?? {});
    report({
      title: `${name}: ${row.says}`,
      rows: figures.map((figure) => {
        const values = runs.map((run) => run[figure] ?? NaN);
        return { figure, median: median(values), runs: values.map(short).join(' ') };
      }),
      ratios: [],
    });
  });
}
