/**
 * What people read of the results: the tables of docs/benchmarks.md and the plot that the README shows too. All of it is made
 * from bench/results.json; text outside of the markers is written by hand and stays.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { short } from '../support/figures.js';
import { median } from './order.js';
import { plotOf } from './plot.js';
import type { Panel } from './plot.js';
import { readResults } from './results.js';
import type { MeasuredRow, Results } from './results.js';

/** In the order in which they are shown. */
const TITLES: Readonly<Record<string, string>> = {
  own: 'this program',
  script: 'p-limit script',
  restate: 'Restate',
  bullmq: 'BullMQ',
};

interface Headline {
  row: string;
  figure: string;
  says: string;
  plotted?: true;
}

/** The rows of the summary, some of which the plot shows too. */
const HEADLINES: readonly Headline[] = [
  {
    row: 'short',
    figure: 'time ÷ best possible',
    says: '50 clips of 1 s, five at a time: time ÷ best possible',
  },
  {
    row: 'uneven',
    figure: 'time ÷ best possible',
    says: '50 clips of 0.5–3 s: time ÷ best possible',
    plotted: true,
  },
  {
    row: 'long',
    figure: 'time ÷ best possible',
    says: '15 clips of 10–30 s: time ÷ best possible',
  },
  {
    row: 'uneven',
    figure: 'render done → reported p50 ms',
    says: 'render of 0.5–3 s done → reported, ms',
    plotted: true,
  },
  {
    row: 'long',
    figure: 'render done → reported p50 ms',
    says: 'render of 10–30 s done → reported, ms',
  },
  { row: 'post', figure: 'posted → first create p50 ms', says: 'job posted → first create, ms' },
  { row: 'uneven', figure: 'CPU s a clip', says: 'CPU a clip, s', plotted: true },
  { row: 'uneven', figure: 'resident MiB', says: 'memory after 50 clips, MiB', plotted: true },
  {
    row: 'kill',
    figure: 'killed → first new create s',
    says: 'killed → first new create, s',
    plotted: true,
  },
  {
    row: 'kill',
    figure: 'predictions for 15 clips',
    says: 'killed during 5 creates: predictions for 15 clips',
    plotted: true,
  },
];

/** Where more is better, or neither is. */
const NOT_LESS = ['creates a minute', 'webhooks a clip', 'most alive', 'mean job s'];

type Cells = Record<string, number>;

/** Medians by contender. */
function cellsOf(row: MeasuredRow | undefined, figure: string): Cells {
  const pairs = Object.entries(row?.runs ?? {}).flatMap(([name, runs]): [string, number][] => {
    const values = runs.flatMap((run) => run[figure] ?? []);
    return values.length === 0 ? [] : [[name, median(values)]];
  });
  return Object.fromEntries(pairs);
}

const contendersOf = (rows: readonly MeasuredRow[]): string[] =>
  Object.keys(TITLES).filter((name) => rows.some(({ runs }) => name in runs));

const titleOf = (name: string): string => TITLES[name] ?? name;
const cell = (value: number | undefined): string => (value === undefined ? '–' : short(value));

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...body.map(line)].join('\n');
}

/** The section of docs/benchmarks.md: each row with all its figures, and where others do better. */
export function sectionOf(results: Results): string {
  const parts = Object.values(results).map((row) => {
    const contenders = contendersOf([row]);
    const figures = new Set(
      Object.values(row.runs).flatMap((runs) => runs.flatMap((run) => Object.keys(run))),
    );
    const body = [...figures].map((figure) => {
      const cells = cellsOf(row, figure);
      return [figure, ...contenders.map((name) => cell(cells[name]))];
    });
    return [
      `### ${capital(row.says)}`,
      table(['', ...contenders.map(titleOf)], body),
      [
        `${times(row)} on ${row.measured}: ${row.machine}; ${versionsIn(row)}.`,
        ...Object.values(row.missing),
      ].join(' '),
    ].join('\n\n');
  });
  return [...parts, '### Where others do better', betterOf(results)].join('\n\n');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const times = ({ runs }: MeasuredRow): string => {
  const most = Math.max(...Object.values(runs).map(({ length }) => length));
  return most === 1 ? 'Measured once' : `Medians of ${String(most)}`;
};

const versionsIn = ({ versions }: MeasuredRow): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

/** Told of every figure of which less is better, not only of those that are shown elsewhere. */
export function betterOf(results: Results): string {
  const lines = Object.values(results).flatMap((row) => {
    const figures = Object.keys(row.runs['own']?.[0] ?? {});
    const found = figures.flatMap((figure) => {
      const { own = NaN, ...others } = cellsOf(row, figure);
      const better = Object.entries(others).filter(
        ([, value]) => value < own && short(value) !== short(own) && !NOT_LESS.includes(figure),
      );
      if (better.length === 0) return [];
      const named = better.map(([name, value]) => `${titleOf(name)} ${short(value)}`);
      return [`${figure}: ${named.join(', ')}, against ${short(own)}`];
    });
    return found.length === 0 ? [] : [`- **${capital(row.says)}.** ${found.join('; ')}.`];
  });
  return lines.length === 0 ? 'In none of these figures.' : lines.join('\n');
}

/** The table of all programs, a row for each headline. */
export function summaryOf(results: Results): string {
  const shown = HEADLINES.filter(({ row, figure }) => 'own' in cellsOf(results[row], figure));
  const rows = shown.flatMap(({ row }) => results[row] ?? []);
  const contenders = contendersOf(rows);
  const body = shown.map(({ row, figure, says }) => {
    const cells = cellsOf(results[row], figure);
    return [says, ...contenders.map((name) => cell(cells[name]))];
  });
  return table(['', ...contenders.map(titleOf)], body);
}

export const panelsOf = (results: Results): Panel[] =>
  HEADLINES.flatMap(({ row, figure, says, plotted }) => {
    const cells = cellsOf(results[row], figure);
    const bars = Object.keys(TITLES).flatMap((name) => {
      const value = cells[name];
      return value === undefined
        ? []
        : [{ name: titleOf(name), value, text: short(value), own: name === 'own' }];
    });
    return plotted === undefined || bars.length === 0 ? [] : [{ title: says, bars }];
  });

/** What stands between `<!-- name -->` and `<!-- /name -->`, each of which is there once. */
export function replaceSection(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before = '', rest, ...more] = text.split(begin);
  const [, after, ...others] = (rest ?? '').split(end);
  if (rest === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(`expected ${begin} and, after it, ${end}, each of them once`);
  }
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

const inRoot = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** The files that show the results, as they should be. */
export function documentsOf(results: Results, read: (file: string) => string): [string, string][] {
  const page = 'docs/benchmarks.md';
  const summarized = replaceSection(read(page), 'summary', summaryOf(results));
  return [
    [page, replaceSection(summarized, 'benchmark', sectionOf(results))],
    ['docs/images/benchmark.svg', plotOf(panelsOf(results))],
  ];
}

export async function writeDocuments(): Promise<void> {
  const read = (file: string): string => readFileSync(inRoot(file), 'utf8');
  for (const [file, text] of documentsOf(readResults(), read)) writeFileSync(inRoot(file), text);
}
