/** What is made of results: tables, the plot, and the places where they stand. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  betterOf,
  documentsOf,
  panelsOf,
  replaceSection,
  sectionOf,
  summaryOf,
} from '../../bench/speed/documents.js';
import { escaped, plotOf } from '../../bench/speed/plot.js';
import { readResults } from '../../bench/speed/results.js';
import type { MeasuredRow, Results } from '../../bench/speed/results.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const CPU = 'CPU s a clip';
const row: MeasuredRow = {
  says: 'window of 5, 50 clips',
  measured: '2026-01-02',
  machine: 'a processor, 2 cores',
  versions: { Node: '20.20.2', 'p-limit': '7.3.3' },
  missing: { bullmq: 'BullMQ needs a server.' },
  runs: {
    own: [{ [CPU]: 0.3 }, { [CPU]: 0.1 }, { [CPU]: 0.2 }],
    script: [{ [CPU]: 0.02 }, { [CPU]: 0.01 }, { [CPU]: 0.03 }],
  },
};
const results: Results = { uneven: row };

describe('the documents of the benchmark', () => {
  it('are what is kept in bench/results.json, and nothing typed', () => {
    for (const [file, text] of documentsOf(readResults(), read)) expect(read(file)).toBe(text);
  });

  it('name machine, day, versions, and who is missing for what reason', () => {
    const text = sectionOf(results);
    expect(text).toContain('Medians of 3 on 2026-01-02: a processor, 2 cores;');
    expect(text).toContain('Node 20.20.2, p-limit 7.3.3.');
    expect(text).toContain('BullMQ needs a server.');
    expect(text).toContain('| CPU s a clip | 0.2 | 0.02 |');
  });

  it('say where others do better, and only there', () => {
    expect(betterOf(results)).toBe(
      '- **Window of 5, 50 clips.** CPU s a clip: p-limit script 0.02, against 0.2.',
    );
    const { own = [], script = [] } = row.runs;
    expect(betterOf({ uneven: { ...row, runs: { own: script, script: own } } })).toBe(
      'In none of these figures.',
    );
  });

  it('show a dash where a contender has no figure', () => {
    const runs = { ...row.runs, restate: [{ other: 1 }] };
    expect(summaryOf({ uneven: { ...row, runs } })).toContain('| CPU a clip, s | 0.2 | 0.02 | – |');
  });
});

describe('a section between markers', () => {
  const page = 'by hand\n<!-- a -->\nold\n<!-- /a -->\nby hand too\n';

  it('is replaced, and nothing else', () => {
    expect(replaceSection(page, 'a', 'new')).toBe(
      'by hand\n<!-- a -->\n\nnew\n\n<!-- /a -->\nby hand too\n',
    );
    const once = replaceSection(page, 'a', 'new');
    expect(replaceSection(once, 'a', 'new')).toBe(once);
  });

  it.each([
    ['no marker', 'text'],
    ['no end', '<!-- a -->'],
    ['two beginnings', `<!-- a -->${page}`],
    ['two ends', `${page}<!-- /a -->`],
    ['an end before its beginning', '<!-- /a --><!-- a -->'],
  ])('is refused with %s', (_name, text) => {
    expect(() => replaceSection(text, 'a', 'new')).toThrow('each of them once');
  });
});

describe('the plot', () => {
  it('has a bar for each contender, as long as its value, and says all of it in words', () => {
    const svg = plotOf(panelsOf(results));
    expect(svg.match(/class="bar/g)).toHaveLength(2);
    expect(svg).toContain('width="250.0"');
    expect(svg).toContain('width="25.0"');
    expect(svg).toContain('this program 0.2, p-limit script 0.02.');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('lets no text become markup', () => {
    expect(escaped('a < b & "c" > d')).toBe('a &lt; b &amp; &quot;c&quot; &gt; d');
    const bars = [{ name: '<script>', value: 1, text: '1', own: true }];
    expect(plotOf([{ title: '</title>', bars }])).not.toMatch(/<script>|<title><\/title>/);
  });
});

describe('the programs of peers', () => {
  it.each(readdirSync(path.join(root, 'bench/peers')).filter((name) => name.endsWith('.mjs')))(
    '%s can be read by Node',
    (name) => {
      execFileSync(process.execPath, ['--check', path.join(root, 'bench/peers', name)]);
    },
  );

  it('bring no dependency into the product', () => {
    const { dependencies: theirs } = JSON.parse(read('bench/peers/package.json')) as Manifest;
    const ours = JSON.parse(read('package.json')) as Manifest;
    const all = { ...ours.dependencies, ...ours.devDependencies };
    const shared = Object.keys(theirs).filter((name) => name in all);
    // Those the product needs itself, in the same version.
    expect(shared).toEqual(['p-limit', 'p-retry', 'replicate']);
    for (const name of shared) expect(theirs[name]).toBe(ours.dependencies[name]);
  });
});

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies?: Record<string, string>;
}
