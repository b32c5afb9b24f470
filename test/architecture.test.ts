/**
 * The architecture rules: layers as the lint table has them, pure code, linear patterns, a workflow bundle that stays small,
 * no import cycles, unique names and labels, and lanes of tests.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { ESLint } from 'eslint';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { groupBy } from '../chaos/evidence.js';
import { SLOW_FOLDERS } from '../setup/lanes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const filesIn = (folder: string, endings: readonly string[]): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.split(path.sep).includes('node_modules'))
    .filter((name) => endings.includes(path.extname(name)))
    .map((name) => path.join(folder, name));

const textOf = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const sources = filesIn('src', ['.ts']);
const chaos = filesIn('chaos', ['.ts']);

/** Basenames that several parts of src/ have, with the same meaning in each. */
const ONE_OF_EACH_PART = ['app.ts', 'format.ts', 'worker.ts'];

// The rules of layers and of patterns alone, and without types: quick, and one sentence a finding.
const LAYER_RULE = /no-restricted-/;
const PATTERN_RULE = /^(?:regexp\/|no-restricted-syntax$)/;
const linter = new ESLint({
  cwd: root,
  overrideConfig: { languageOptions: { parserOptions: { project: null } } },
  ruleFilter: ({ ruleId }) => LAYER_RULE.test(ruleId) || PATTERN_RULE.test(ruleId),
});

/** What one of the rules says about a line in a file. */
async function findings(file: string, line: string, rule: RegExp): Promise<string[]> {
  const [result] = await linter.lintText(`${line}\n`, { filePath: path.join(root, file) });
  return (result?.messages ?? [])
    .filter((found) => isOf(found, rule))
    .map(({ message }) => message);
}

/** Without the rules that are left out, the comments that silence them look useless: findings without a rule. */
const isOf = ({ ruleId }: { ruleId: string | null }, rule: RegExp): boolean =>
  ruleId !== null && rule.test(ruleId);

describe('layers', () => {
  it.each([
    ['src/domain/pricing/cost.ts', `import '../../adapters/media/media.js';`],
    ['src/domain/pricing/cost.ts', `import type { Config } from '../../config.js';`],
    ['src/domain/models/veo.ts', `import '../../contract/workflow.js';`],
    ['src/domain/pricing/cost.ts', `import 'node:crypto';`],
    ['src/domain/pricing/cost.ts', `import '@temporalio/common';`],
    ['src/domain/pricing/cost.ts', `import { z } from 'zod';`],
    ['src/domain/pricing/cost.ts', `import { planFieldsSchema } from '../plan/plan.schema.js';`],
    ['src/domain/plan/plan.schema.ts', `import 'fastify';`],
    [
      'src/workflows/generate-clips.ts',
      `import { planFieldsSchema } from '../domain/plan/plan.schema.js';`,
    ],
    [
      'src/workflows/activity-options.ts',
      `import { createActivities } from '../activities/index.js';`,
    ],
    ['src/workflows/generate-clips.ts', `import '../adapters/media/media.js';`],
    ['src/contract/workflow.ts', `import '../adapters/temporal/connection.js';`],
    ['src/client/json-mistake.ts', `import 'node:fs';`],
    ['src/client/json-mistake.ts', `import '../web/format.js';`],
    ['src/client/json-mistake.ts', `import { Plan } from '../api/schemas.js';`],
    ['src/embedded/temporal-server.ts', `import '../worker.js';`],
    ['src/workflows/generate-clips.ts', `import 'node:fs';`],
    ['src/activities/store-clip.ts', `import '../config.js';`],
    ['src/activities/store-clip.ts', `import '../workflows/generate-clips.js';`],
    ['src/activities/store-clip.ts', `import 'fastify';`],
    ['src/adapters/media/media.ts', `import '../../activities/index.js';`],
    ['src/api/routes/jobs.ts', `import '../../simulator/index.js';`],
    ['src/api/jobs/temporal-jobs.ts', `import '../../activities/index.js';`],
    ['src/web/main.ts', `import '../api/jobs/jobs-port.js';`],
    [
      'src/web/views/job-view.ts',
      `import { planFieldsSchema } from '../../domain/plan/plan.schema.js';`,
    ],
    ['src/web/main.ts', `import 'zod';`],
    ['src/web/archive.ts', `import { makeZip } from 'client-zip';`],
    ['src/web/vendor/client-zip.ts', `import 'fflate';`],
    ['src/simulator/core.ts', `import '../adapters/replicate/replicate-client.js';`],
    ['src/worker.ts', `import './simulator/index.js';`],
    ['src/worker.ts', `import './commands/stack.js';`],
    ['src/domain/pricing/cost.ts', `export const at = Date.now();`],
    ['src/domain/pricing/cost.ts', `export const at = new Date();`],
    ['src/domain/pricing/cost.ts', `export const luck = Math.random();`],
    ['src/domain/pricing/cost.ts', `setTimeout(() => undefined, 1);`],
    ['src/web/format.ts', `export const at = Date.now();`],
    ['src/worker.ts', `export const host = process.env['HOST'];`],
  ])('refuses in %s: %s', async (file, line) => {
    expect(await findings(file, line, LAYER_RULE)).toHaveLength(1);
  });

  it.each([
    ['src/domain/plan/plan.schema.ts', `import { z } from 'zod';`],
    ['src/domain/plan/resolve.ts', `import type { Plan } from './plan.schema.js';`],
    ['src/domain/models/veo.ts', `import { priceFor } from '../pricing/cost.js';`],
    [
      'src/workflows/activity-options.ts',
      `import type { Activities } from '../activities/index.js';`,
    ],
    ['src/workflows/generate-clips.ts', `export const at = new Date();`],
    [
      'src/activities/resolve-plan.ts',
      `import { checkPlan } from '../domain/plan/check-plan.schema.js';`,
    ],
    ['src/activities/attempt.ts', `import { WORKFLOW_TYPE } from '../contract/workflow.js';`],
    [
      'src/api/routes/jobs.ts',
      `import { planFieldsSchema } from '../../domain/plan/plan.schema.js';`,
    ],
    ['src/client/json-mistake.ts', `import type { JobPage } from '../api/schemas.js';`],
    ['src/web/main.ts', `import { apply } from '../domain/job/progress.js';`],
    ['src/web/vendor/client-zip.ts', `export { makeZip } from 'client-zip';`],
    ['src/commands/stack.ts', `import { startSimulator } from '../simulator/index.js';`],
    ['src/config.ts', `export const host = process.env['HOST'];`],
  ])('allows in %s: %s', async (file, line) => {
    expect(await findings(file, line, LAYER_RULE)).toEqual([]);
  });
});

describe('patterns', () => {
  it.each([
    String.raw`/^(?:a+)+$/`,
    String.raw`/^(\w+\s?)*$/`,
    String.raw`/^\d+\.?\d*$/`,
    String.raw`/^.*,.*,.*$/`,
    String.raw`/\/+$/`,
    String.raw`/\s+$/`,
    String.raw`/a.*b/`,
    String.raw`/<[^>]*>$/`,
    String.raw`new RegExp('(?:x+x+)+y')`,
    'new RegExp(String.raw`(?:x+x+)+y`)',
    ['new RegExp(`^$', '{String(Date)}$`)'].join(''),
    "new RegExp(process.title, 'u')",
    'RegExp(process.title)',
  ])('that may take more than linear time are refused everywhere: %s', async (pattern) => {
    const line = `export const pattern = ${pattern};`;
    for (const file of ['src/adapters/media/text-kind.ts', 'src/web/format.ts', 'setup/say.mjs']) {
      expect(await findings(file, line, PATTERN_RULE)).not.toEqual([]);
    }
  });

  it.each([
    String.raw`/^\d+(?:\.\d*)?$/`,
    String.raw`/\s/g`,
    String.raw`/^\s*[a-z]{1,20}:/`,
    "new RegExp(String.raw`\\p{Cc}|[\\u2028-\\u202e]`, 'gu')",
  ])('that take linear time are allowed: %s', async (pattern) => {
    const line = `export const pattern = ${pattern};`;
    expect(await findings('src/web/format.ts', line, PATTERN_RULE)).toEqual([]);
  });
});

describe('layers and patterns', () => {
  it('are kept by every file', async () => {
    const results = await linter.lintFiles(['src', 'chaos', 'setup']);
    expect(results.length).toBeGreaterThan(sources.length + chaos.length);
    const broken = results.flatMap(({ filePath, messages }) =>
      messages
        .filter(({ ruleId, fatal }) => ruleId !== null || fatal === true)
        .map(({ line, message }) => `${path.relative(root, filePath)}:${String(line)} ${message}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('the workflow bundle', () => {
  let code = '';
  beforeAll(async () => {
    const quiet = () => undefined;
    const logger = {
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: quiet,
      log: quiet,
    };
    ({ code } = await bundleWorkflowCode({
      workflowsPath: path.join(root, 'src/workflows/index.ts'),
      logger,
    }));
  });

  it('holds the workflow', () => {
    expect(code).toContain('./src/workflows/generate-clips.ts');
  });

  it('holds no zod, which would cost a megabyte for every cached workflow', () => {
    expect(code).not.toMatch(/node_modules\/zod\//);
  });

  it('holds no catalogue: lengths, inputs and prices of a job are frozen in its history', () => {
    expect(code).not.toContain('./src/domain/models/');
  });

  it('stays below 850 kB before it is minified, of which the SDK takes 580', () => {
    const end = code.lastIndexOf('//# sourceMappingURL=');
    expect(end).toBeGreaterThan(0);
    expect(Buffer.byteLength(code.slice(0, end))).toBeLessThan(850_000);
  });
});

describe('imports', () => {
  it('form no cycle, types included', () => {
    const graph = new Map([...sources, ...chaos].map((file) => [file, importedBy(file)]));
    expect(graph.get('src/worker.ts')).toContain('src/contract/workflow.ts');
    expect(cycles(graph)).toEqual([]);
  });
});

describe('names', () => {
  it('of files in src/ are unique, but for what each part has one of', () => {
    const files = groupBy(sources, (file) => path.basename(file));
    const doubled = [...files].filter(([, places]) => places.length > 1);
    const allowed = ['index.ts', ...ONE_OF_EACH_PART];
    expect(doubled.filter(([name]) => !allowed.includes(name))).toEqual([]);
    expect(ONE_OF_EACH_PART.filter((name) => (files.get(name)?.length ?? 0) < 2)).toEqual([]);
  });

  it('of entries are all that lies in src/ itself', () => {
    const loose = sources.filter((file) => path.dirname(file) === 'src');
    expect(loose.sort()).toEqual(['src/config.ts', 'src/worker.ts']);
  });

  // But for G1 to G7, the guarantees of docs/architecture.md: several files keep one together.
  it('of invariants are each stated once in the whole tree', () => {
    const files = ['src', 'chaos', 'setup', 'bench', 'test']
      .flatMap((folder) => filesIn(folder, ['.ts', '.mjs']))
      .concat('eslint.config.js', 'vitest.config.ts');
    const stated = files.flatMap((file) =>
      [...textOf(file).matchAll(/^ \* (?!G\d )([A-Z][A-Z-]*\d+) /gm)].map(([, label = '']) => ({
        label,
        file,
      })),
    );
    expect(stated.length).toBeGreaterThan(50);
    const byLabel = groupBy(stated, ({ label }) => label);
    const ambiguous = [...byLabel].filter(([, places]) => places.length > 1);
    expect(ambiguous.map(([label, places]) => [label, ...places.map(({ file }) => file)])).toEqual(
      [],
    );
  });
});

describe('every file', () => {
  const files = [
    ...sources,
    ...chaos,
    ...filesIn('setup', ['.mjs']),
    ...filesIn('bench', ['.ts', '.mjs']),
  ];

  it('opens with what it is for', () => {
    const silent = files.filter((file) => !/^(#!.*\n)?\/[/*]/.test(textOf(file)));
    expect(silent).toEqual([]);
  });
});

describe('the fast lane', () => {
  const slow = Object.keys(SLOW_FOLDERS);
  const tests = filesIn('test', ['.ts']).filter((file) => file.endsWith('.test.ts'));
  const isSlow = (file: string): boolean => slow.some((folder) => file.startsWith(`${folder}/`));

  it('leaves out folders that are there, and is most of the tests', () => {
    expect(slow.filter((folder) => !tests.some((file) => file.startsWith(`${folder}/`)))).toEqual(
      [],
    );
    expect(tests.filter((file) => !isSlow(file)).length).toBeGreaterThan(tests.length / 2);
  });

  it.each([
    ['a browser, Java or Python', /lacks\('(?!openssl')|\/browser\.js'/],
    ['worker processes', /world\.startWorker\(/],
  ])('needs no %s', (_what, pattern) => {
    const needy = tests.filter((file) => pattern.test(textOf(file)));
    expect(needy.length).toBeGreaterThan(5);
    expect(needy.filter((file) => !isSlow(file))).toEqual([]);
  });
});

/** Files that a file imports, if only for their types. */
function importedBy(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(textOf(file), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => path.join(path.dirname(file), fileName.replace(/\.js$/, '.ts')));
}

/** Every way back to a file that is still being visited. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
      return;
    }
    if (finished.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
