/**
 * Lint: typescript-eslint's strict rules, and the architecture rules. LAYERS is the one table of who may import
 * whom under src/; docs/architecture.md says the same in words. Change both or neither.
 *
 * LINT-1 A folder imports only the folders and packages of its row.
 * LINT-2 Pure code knows no clock, chance, process, network or timer.
 * LINT-3 Only config.ts reads the environment.
 * LINT-4 Every pattern takes linear time, whatever text it meets: most meet text from outside, and one that is slow stops
 *    everything else in its process.
 */
import { readdirSync } from 'node:fs';
import * as regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/**
 * @typedef {object} Layer
 * @property {string[]} values  folders (or single files) of src/ it may import
 * @property {string[]} types   the same, by `import type` alone
 * @property {string[] | 'any'} packages
 */

/** Folder of src/ → what it may import besides itself. @type {Record<string, Layer>} */
export const LAYERS = {
  domain: { values: [], types: [], packages: [] },
  // What workflows and everything outside them agree on.
  contract: { values: ['domain'], types: [], packages: ['@temporalio/workflow'] },
  workflows: {
    values: ['domain', 'contract'],
    types: ['activities'],
    packages: ['@temporalio/workflow'],
  },
  activities: {
    values: ['domain', 'adapters', 'contract'],
    types: [],
    packages: [
      '@temporalio/activity',
      '@temporalio/common',
      'p-limit',
      'node:timers',
      'node:crypto',
    ],
  },
  // What config.ts reads the environment with.
  settings: { values: ['domain'], types: [], packages: 'any' },
  // What HTTP servers and clients of every layer share.
  http: { values: ['domain', 'config'], types: [], packages: 'any' },
  logging: { values: ['domain', 'contract', 'config'], types: [], packages: 'any' },
  adapters: {
    values: ['domain', 'contract', 'config', 'http', 'settings/package-files'],
    types: [],
    packages: 'any',
  },
  api: {
    values: [
      'domain',
      'contract',
      'adapters',
      'config',
      'http',
      'logging',
      'settings/package-files',
      'tracing/start-tracing',
    ],
    types: [],
    packages: 'any',
  },
  // What a worker tells of itself over HTTP.
  observability: {
    values: ['domain', 'contract', 'adapters', 'config', 'http'],
    types: ['activities'],
    packages: 'any',
  },
  // Loaded only where spans are wanted, but for its door, start-tracing.ts.
  tracing: { values: ['domain', 'adapters'], types: ['config'], packages: 'any' },
  // Runs in browsers and in Node, and outside this package.
  client: { values: ['domain', 'http/bounded-text'], types: ['api/schemas'], packages: [] },
  web: { values: ['domain', 'client', 'http/bounded-text'], types: [], packages: [] },
  terminal: { values: ['domain', 'client', 'config', 'http'], types: [], packages: 'any' },
  simulator: { values: ['domain', 'http'], types: ['config'], packages: 'any' },
  // The development server of Temporal.
  embedded: {
    values: ['domain', 'adapters/temporal/connection', 'config', 'http'],
    types: [],
    packages: 'any',
  },
  // Commands put processes together and may use every one of them.
  commands: { values: ['*'], types: [], packages: 'any' },
};

const ROOT_FILES = readdirSync(new URL('./src', import.meta.url))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

const TOP_LEVEL = [...Object.keys(LAYERS), ...ROOT_FILES];

/** Pure besides the domain: what the page and the terminal draw from a job and a time they are given. */
const PURE = [
  'src/domain/**/*.ts',
  'src/client/{json-mistake,sse-parser,figures,words,followed-job}.ts',
  'src/web/{format,time-left,plan-text,archive}.ts',
  'src/terminal/{format,sentences,span,frame,final-table,view,arguments}.ts',
];

/** `domain`, `adapters/temporal/connection` or `config` as the end of a relative specifier. */
const target = (name) => (name.includes('/') || !(name in LAYERS) ? `${name}\\.js$` : `${name}/`);

/** How a file leaves its folder of src/: directly in it by one step up, further down by more. */
const DEPTHS = [
  { files: '*.ts', up: '^\\.\\./' },
  { files: '*/**/*.ts', up: '^(?:\\.\\./){2,}' },
];

/** A pattern for every specifier that leaves the folder, except to the names allowed. */
function leavingExcept(up, allowed) {
  const others = TOP_LEVEL.map((name) => (name in LAYERS ? `${name}/` : `${name}\\.js$`)).join('|');
  const exceptions = allowed.length === 0 ? '' : `(?!${allowed.map(target).join('|')})`;
  return `${up}${exceptions}(?:${others})`;
}

/** @param {string} up @param {string} name @param {Layer} layer */
function importPatterns(up, name, { values, types, packages }) {
  if (values.includes('*')) return [];
  const patterns = [
    {
      regex: leavingExcept(up, [...values, ...types]),
      message: `${name}/ may import ${[...values, ...types].join(', ') || 'nothing but itself'} (LAYERS in eslint.config.js).`,
    },
  ];
  if (types.length > 0) {
    patterns.push({
      regex: `${up}(?:${types.map(target).join('|')})`,
      allowTypeImports: true,
      message: `${name}/ may import only types from ${types.join(', ')}.`,
    });
  }
  if (packages !== 'any') {
    const exceptions = packages.map((item) => `${item}(?:/|$)`).join('|');
    patterns.push({
      regex: exceptions === '' ? '^[^.]' : `^(?!${exceptions})[^.]`,
      message: `${name}/ may import ${packages.join(', ') || 'no package'} (LAYERS in eslint.config.js).`,
    });
  }
  return patterns;
}

const restrict = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
});

/** Schemas bring zod with them: a megabyte per cached workflow, and a slower page. */
const SANDBOXED = ['domain', 'contract', 'workflows', 'client', 'web'];
const noSchemaValues = {
  regex: '\\.schema\\.js$',
  allowTypeImports: true,
  message:
    'Schemas stay at the doors: import their types, or call them from an activity or a route.',
};

const layers = Object.entries(LAYERS).flatMap(([name, layer]) =>
  DEPTHS.map(({ files, up }) =>
    restrict(
      [`src/${name}/${files}`],
      [...importPatterns(up, name, layer), ...(SANDBOXED.includes(name) ? [noSchemaValues] : [])],
      ['src/domain/**/*.schema.ts'],
    ),
  ),
);

/** A schema is the one place of the domain where zod may be. */
const schemas = DEPTHS.map(({ files, up }) =>
  restrict(
    [`src/domain/${files.replace('*.ts', '*.schema.ts')}`],
    importPatterns(up, 'domain', { ...LAYERS['domain'], packages: ['zod'] }),
  ),
);

/** The page's packages, each behind a module that the build replaces by the package's own (setup/build.mjs). */
const vendored = restrict(
  ['src/web/vendor/*.ts'],
  importPatterns('^(?:\\.\\./){2,}', 'web', { ...LAYERS['web'], packages: ['client-zip'] }),
);

/** LINT-4. What a pattern is made of at run time, no rule can read. */
const linearPatterns = {
  files: ['src/**', 'chaos/**', 'setup/**', 'eslint.config.js'],
  plugins: { regexp },
  rules: {
    'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
    'regexp/no-super-linear-move': ['error', { report: 'potential', ignorePartial: false }],
  },
};

/** `new RegExp('…')` and `String.raw` without a placeholder are read as literals are. */
const READABLE = [
  "[arguments.0.type='Literal']",
  "[arguments.0.type='TaggedTemplateExpression'][arguments.0.quasi.expressions.length=0]",
];
const unreadablePatterns = ['NewExpression', 'CallExpression'].map((kind) => ({
  selector: `${kind}[callee.name='RegExp']${READABLE.map((form) => `:not(${form})`).join('')}`,
  message: 'A pattern is written out, so that lint can tell that it is linear (LINT-4).',
}));

const pure = {
  files: PURE,
  rules: {
    'no-restricted-globals': [
      'error',
      ...['process', 'fetch', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'],
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'Time is an argument of pure code.' },
      { object: 'Math', property: 'random', message: 'Chance is an argument of pure code.' },
    ],
    'no-restricted-syntax': [
      'error',
      {
        selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
        message: 'Time is an argument of pure code.',
      },
      ...unreadablePatterns,
    ],
  },
};

const strictness = {
  rules: {
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-control-regex': 'error',
    'no-self-compare': 'error',
    'no-template-curly-in-string': 'error',
    'no-useless-rename': 'error',
    'object-shorthand': 'error',
    'preserve-caught-error': 'error',
    'max-params': ['error', { max: 4 }],
    'max-depth': ['error', 4],
    // An async function without await is how a port with nothing to wait for keeps its promise.
    '@typescript-eslint/require-await': 'off',
    // TypeScript narrows across an await: the checks that matter most (closed meanwhile?) look unnecessary.
    '@typescript-eslint/no-unnecessary-condition': 'off',
    // The only enums here are the protocol's, and those are numbers on the wire.
    '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    '@typescript-eslint/no-unsafe-enum-comparison': 'off',
    // A clip ends without a video by a value that is thrown within its run (clip-run.ts).
    '@typescript-eslint/only-throw-error': [
      'error',
      { allow: [{ from: 'file', name: 'ClipFailed' }], allowThrowingUnknown: true },
    ],
    '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
    '@typescript-eslint/switch-exhaustiveness-check': 'error',
    '@typescript-eslint/consistent-type-imports': 'error',
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    '@typescript-eslint/no-unused-vars': [
      'error',
      { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
    ],
  },
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'out/', 'coverage/', '.cache/', '.data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { project: ['./tsconfig.json', './tsconfig.web.json'] } } },
  strictness,
  ...layers,
  ...schemas,
  vendored,
  restrict(
    ['src/*.ts'],
    [
      {
        regex: '^\\./(?:api|client|web|terminal|simulator|embedded|commands)/',
        message: 'The worker runs without commands, pictures, an API or a simulated provider.',
      },
    ],
  ),
  linearPatterns,
  {
    files: ['src/**', 'chaos/**', 'setup/**'],
    rules: { 'no-restricted-syntax': ['error', ...unreadablePatterns] },
  },
  pure,
  {
    files: ['src/**/*.ts', 'chaos/**/*.ts'],
    // How loudly to tell of a bad environment cannot wait until it was read.
    ignores: ['src/config.ts', 'src/commands/process.ts', ...PURE],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' },
      ],
    },
  },
  { files: ['test/**', 'bench/**'], rules: { 'max-params': 'off' } },
  { files: ['**/*.{js,mjs,cjs}'], ...tseslint.configs.disableTypeChecked },
  // What the SDK requires by its path, or its bundler takes.
  { files: ['setup/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
