/**
 * The documentation is true where a machine can tell: what it links to is there, the tests it quotes exist, and
 * its tables are the code's.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FIGURE_NAMES } from '../src/api/observability/job-metrics.js';
import { API_FIGURE_NAMES } from '../src/api/observability/metrics.js';
import { WORKER_FIGURE_NAMES } from '../src/observability/worker-metrics.js';
import { loadConfig } from '../src/config.js';
import { checkPlan } from '../src/domain/plan/check-plan.schema.js';
import { FAILURE_KINDS, FAILURES } from '../src/domain/job/failures.js';
import type { FailureKind } from '../src/domain/job/failures.js';
import { CATALOGUE } from '../src/domain/models/index.js';
import type { Plan } from '../src/domain/plan/plan.schema.js';
import { FAULTS } from '../src/simulator/faults.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  'deploy/helm/durable-clip-generator/README.md',
  ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];

/** The part below a heading, to the next heading that is not deeper. */
function section(file: string, heading: string): string {
  const [, after] = textOf(file).split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`expected "${heading}" in ${file}`);
  return after.split(new RegExp(`\\n#{1,${String(heading.indexOf(' '))}} `))[0] ?? '';
}

/** Cells of every row of the tables in a text, without headings. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\|(.+)\|$/gm)]
    .map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
    .filter((_row, index, rows) => !isRule(rows[index]) && !isRule(rows[index + 1]));
const isRule = (row: string[] | undefined): boolean => /^-+$/.test(row?.[0] ?? '');

const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

interface Link {
  page: string;
  text: string;
  file: string;
  anchor: string;
}

const linksOf = (page: string): Link[] =>
  [...textOf(page).matchAll(/\[([^\]]+)\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
    ([, text = '', target = '', anchor = '']) => {
      const file = target === '' ? page : path.join(path.dirname(page), target);
      return { page, text: text.replaceAll(/\s+/g, ' '), file, anchor };
    },
  );

/** As GitHub makes them. */
const anchorsOf = (file: string): string[] =>
  [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

const links = PAGES.flatMap(linksOf);

describe('links', () => {
  it('lead to files that are there', () => {
    expect(links.length).toBeGreaterThan(50);
    const broken = links.filter(({ file }) => !existsSync(path.join(root, file)));
    expect(broken).toEqual([]);
  });

  it('lead to headings that are there', () => {
    const broken = links.filter(
      ({ file, anchor }) => anchor !== '' && !anchorsOf(file).includes(anchor),
    );
    expect(broken).toEqual([]);
  });

  it('quote tests by names that the tests have', () => {
    const tests = links.filter(
      ({ file, text }) => file.endsWith('.test.ts') && !text.includes('/'),
    );
    expect(tests.length).toBeGreaterThan(25);
    expect(tests.filter(({ file, text }) => !textOf(file).includes(text))).toEqual([]);
  });
});

describe('docs/settings.md', () => {
  const settings = rowsOf(section('docs/settings.md', '## Variables'));

  it('names every variable, and no other', () => {
    const documented = [...textOf('.env.example').matchAll(/^# ([A-Z][A-Z0-9_]*)=/gm)];
    expect(settings.flatMap(([names = '']) => quoted(names)).sort()).toEqual(
      documented.map(([, name]) => name).sort(),
    );
  });

  it('shows the defaults: setting all of them changes nothing', () => {
    const defaults = settings.flatMap(([names = '', value = '']) => {
      const [text] = quoted(value);
      return text === undefined ? [] : quoted(names).map((name): [string, string] => [name, text]);
    });
    const shown = Object.fromEntries(defaults);
    expect(defaults.length).toBeGreaterThan(10);
    // Replicate's address is a default that needs a token too.
    const { REPLICATE_BASE_URL: url, ...rest } = shown;
    expect(loadConfig(rest)).toEqual(loadConfig({}));
    const token = { REPLICATE_API_TOKEN: 'r8_x' };
    expect(loadConfig({ ...token, REPLICATE_BASE_URL: url })).toEqual(loadConfig(token));
  });
});

describe('the chart', () => {
  interface Schema {
    properties: Record<string, Schema>;
  }
  const chart = 'deploy/helm/durable-clip-generator';
  const { config, secrets } = (JSON.parse(textOf(`${chart}/values.schema.json`)) as Schema)
    .properties;
  const settings = rowsOf(section('docs/settings.md', '## Variables')).flatMap(([names = '']) =>
    quoted(names),
  );
  /** Its templates give them their values. */
  const OWN = [
    'PORT',
    'WORKER_HTTP_PORT',
    'DATA_DIR',
    'TEMPORAL_DEPLOYMENT_NAME',
    'TEMPORAL_BUILD_ID',
  ];
  /** Of the embedded server and the simulator, and files of secrets, which Kubernetes brings as variables. */
  const ELSEWHERE = /^(?:SIMULATOR_\w+|TEMPORAL_(?:PORT|UI_PORT|CLI)|\w+_FILE)$/;
  const known = [config, secrets?.properties['values']].flatMap((schema) =>
    Object.keys(schema?.properties ?? {}),
  );

  it('has every setting in its schema (values.schema.json, config), and no other', () => {
    const wanted = settings.filter((name) => !OWN.includes(name));
    const missing = wanted.filter(
      (name) => !known.includes(name) && (name === 'TEMPORAL_CONFIG_FILE' || !ELSEWHERE.test(name)),
    );
    expect(missing).toEqual([]);
    const unknown = Object.keys(config?.properties ?? {}).filter(
      (name) => !settings.includes(name) && !name.startsWith('AWS_'),
    );
    expect(unknown).toEqual([]);
  });
});

describe('the README', () => {
  it('shows a plan that is accepted', () => {
    const [, plan = ''] = /```json\n(.*?)```/s.exec(section('README.md', '## A plan')) ?? [];
    const { default_model, duration_buffer } = loadConfig({});
    const context = { catalogue: CATALOGUE, default_model, duration_buffer };
    expect(checkPlan(JSON.parse(plan), context)).toMatchObject({ ok: true });
  });

  it('counts the clips of the example', () => {
    const { clip_prompts: clips } = JSON.parse(textOf('examples/trailer.json')) as Plan;
    expect(textOf('README.md')).toContain(`renders the example, ${String(clips.length)} clips;`);
  });

  it('counts the models', () => {
    expect(textOf('README.md')).toContain(`${String(CATALOGUE.size)} models as rows`);
  });
});

describe('docs', () => {
  it('name every fault of the simulator, and no other', () => {
    const faults = rowsOf(section('docs/simulator.md', '## Faults'));
    expect(faults.flatMap(([, names = '']) => quoted(names)).sort()).toEqual(
      Object.keys(FAULTS).sort(),
    );
  });

  it('say of every kind of failure what to do, and of no other', () => {
    const kinds = rowsOf(section('docs/operations.md', '## When a clip or a job fails'));
    expect(kinds.flatMap(([kind = '']) => quoted(kind)).sort()).toEqual([...FAILURE_KINDS].sort());
  });

  it('say of every kind of failure what the program does about it', () => {
    for (const [name = '', , again = ''] of rowsOf(
      section('docs/operations.md', '## When a clip or a job fails'),
    )) {
      const [kind] = quoted(name);
      const { retry, halts } = FAILURES[kind as FailureKind];
      expect(/^(?:yes|only)/.test(again), name).toBe(retry);
      expect(again.includes("stops the job's rest"), name).toBe(halts);
    }
  });

  it('have the layers that lint keeps', async () => {
    const { href } = new URL('../eslint.config.js', import.meta.url);
    const { LAYERS } = (await import(href)) as { LAYERS: object };
    const rows = rowsOf(section('docs/architecture.md', '## Folders'));
    expect(rows.flatMap(([folder = '']) => quoted(folder)).sort()).toEqual(
      Object.keys(LAYERS).sort(),
    );
  });

  it('say of every model how its prices are known, and of none of those that are left out', () => {
    const names = (heading: string): string[] =>
      rowsOf(section('docs/models.md', heading)).flatMap(([cell = '']) => {
        const [first = '', ...others] = cell.split(', ');
        const [owner = ''] = first.split('/');
        return [first, ...others.map((name) => (name.includes('/') ? name : `${owner}/${name}`))];
      });
    const priced = names('## Prices').filter((name) => name.includes('/'));
    expect(priced.filter((name) => !/^\w+\/$/.test(name)).sort()).toEqual(
      [...CATALOGUE.keys()].sort(),
    );
    expect(names('## Left out').filter((name) => CATALOGUE.has(name))).toEqual([]);
  });

  it('count the models without seeds', () => {
    const without = [...CATALOGUE.values()].filter(({ seed }) => seed === null).length;
    const words = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine'];
    expect(textOf('docs/decisions/0005-unclear-creates.md')).toContain(
      `${words[without] ?? String(without)} of the catalogue's ${String(CATALOGUE.size)} models take none`,
    );
  });

  it('name every figure of /metrics', () => {
    const named = quoted(section('docs/operations.md', '## Metrics'));
    const figures = [...FIGURE_NAMES, ...API_FIGURE_NAMES, ...WORKER_FIGURE_NAMES];
    expect(figures.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('count the files on the walk of a clip, each of which is there', () => {
    const walk = section('docs/architecture.md', '### The files of this walk');
    const files = [...walk.matchAll(/^ {2}(src\/\S+)/gm)].map(([, file = '']) => file);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
    expect(walk).toContain(`passes these ${String(new Set(files).size)} files`);
  });

  it('list every decision', () => {
    const listed = linksOf('docs/decisions/README.md').map(({ file }) => path.basename(file));
    const files = readdirSync(path.join(root, 'docs/decisions')).filter((name) => /^\d/.test(name));
    expect(listed.sort()).toEqual(files.sort());
  });

  it.each(PAGES)('%s mentions only npm commands that exist', (page) => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: object };
    const used = [...textOf(page).matchAll(/npm run ([a-z:-]+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
