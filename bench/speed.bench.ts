/**
 * How fast, how light and how safe the whole stack is, row by row. BENCH_ROWS=uneven,kill takes some of the rows, BENCH_REPEAT=3
 * medians of three, BENCH_SHARE=0.1 a tenth of the clips and jobs of `many` and `fair`.
 *
 * With BENCH_PEERS=1 (`npm run bench -- --peers`) others do the same jobs, and what comes of it is kept and made into documents.
 */
import { writeDocuments } from './speed/documents.js';
import { median } from './speed/order.js';
import { PEERS, startPeerStand } from './speed/peer-stand.js';
import { addResult, describeMachine, versionsOf } from './speed/results.js';
import { measure, ROWS } from './speed/rows.js';
import type { Measured, Row, StartStand } from './speed/rows.js';
import { startOwnStand } from './speed/stand.js';
import { once, report, short } from './support/figures.js';

const withPeers = process.env['BENCH_PEERS'] === '1';
/** `fair` takes as long as a third of all others. */
const usual = Object.keys(ROWS).filter((name) => !withPeers || name !== 'fair');
const chosen = process.env['BENCH_ROWS']?.split(',') ?? usual;
const repetitions = ({ once }: Row): number =>
  Number(process.env['BENCH_REPEAT'] ?? (withPeers && once === undefined ? 3 : 1));

const machine = describeMachine();
const missing: Record<string, string> = {};
const contenders: Record<string, StartStand> = { own: () => startOwnStand() };
for (const [name, peer] of withPeers ? Object.entries(PEERS) : []) {
  const why = peer.missing();
  if (why === null) contenders[name] = () => startPeerStand(peer);
  else missing[name] = why;
}
for (const why of Object.values(missing)) console.error(why);

type Runs = Record<string, Measured[]>;

/** This program by itself, then all others at once, which take a few percent of a core each. */
async function runsOf(row: Row): Promise<Runs> {
  const { own, ...others } = contenders as { own: StartStand } & Record<string, StartStand>;
  const compared = 'any' in row.measure ? others : {};
  const runs: Runs = Object.fromEntries(
    ['own', ...Object.keys(compared)].map((name) => [name, []]),
  );
  const run = async (name: string, start: StartStand): Promise<void> => {
    runs[name]?.push(await measure(row, start));
  };
  const turn = async (): Promise<unknown> => {
    const first = run('own', own);
    if (row.idle === undefined) await first;
    return Promise.all([first, ...Object.entries(compared).map((pair) => run(...pair))]);
  };
  const turns = Array.from({ length: repetitions(row) }, () => turn);
  if (row.idle === true) await Promise.all(turns.map((one) => one()));
  else for (const one of turns) await one();
  return runs;
}

for (const name of chosen) {
  const row = ROWS[name];
  if (row === undefined) {
    throw new Error(`BENCH_ROWS: expected some of ${Object.keys(ROWS).join()}, got "${name}"`);
  }
  once(name, async () => {
    const runs = await runsOf(row);
    report({
      title: `${name}: ${row.says}`,
      rows: withPeers ? compare(runs) : list(runs),
      ratios: [],
    });
    if (!withPeers) return;
    await addResult(name, {
      says: row.says,
      measured: new Date().toISOString().slice(0, 10),
      machine,
      versions: versionsOf(Object.keys(runs)),
      missing: 'any' in row.measure ? missing : {},
      runs,
    });
  });
}

if (withPeers) once('documents', writeDocuments);

function list({ own = [] }: Runs): Record<string, string | number>[] {
  return Object.keys(own[0] ?? {}).map((figure) => {
    const values = own.map((run) => run[figure] ?? NaN);
    return { figure, median: median(values), runs: values.map(short).join(' ') };
  });
}

function compare(runs: Runs): Record<string, string | number>[] {
  const figures = new Set(Object.values(runs).flatMap(([first = {}]) => Object.keys(first)));
  return [...figures].map((figure) => ({
    figure,
    ...Object.fromEntries(
      Object.entries(runs).map(([name, own]) => {
        const values = own.flatMap((run) => run[figure] ?? []);
        return [name, values.length === 0 ? '–' : median(values)];
      }),
    ),
  }));
}
