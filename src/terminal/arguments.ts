/**
 * The words after `npm run generate --`, as data. Refuses what it does not know with one sentence and the usage;
 * reads no files and no environment.
 */
import { parseArgs } from 'node:util';
import { errorMessage } from '../domain/values/error-message.js';

export interface GenerateOptions {
  /** Null: the bundled example. */
  plan: string | null;
  /** Null: out/<job_id>. */
  out: string | null;
  dry_run: boolean;
  json: boolean;
  /** Follow this job instead of starting one. */
  attach: string | null;
  job_id: string | null;
  /** Make the finals of this draft instead of running a plan. */
  final: string | null;
  /** Of these clips; null: of all that have succeeded. */
  clips: readonly number[] | null;
}

type Parsed =
  | { kind: 'run'; options: GenerateOptions }
  | { kind: 'help' }
  | { kind: 'refused'; message: string };

export const GENERATE_USAGE = `Usage: npm run generate -- [plan.json] [options]

  plan.json           what to generate; without it, the bundled example of 12 clips
  --out DIR           where the files go (default out/<job_id>)
  --dry-run           show durations, costs and warnings; start nothing
  --json              print the job's events, one JSON object a line, and nothing else
  --job-id ID         the job's name: letters, digits, _ and -, at most 64
  --final JOB_ID      make the finals of a draft, as a job of its own
  --clips 0,2,5-7     of these clips alone (default: all that have succeeded)
  --attach JOB_ID     follow a job that was started before
  --help              this text`;

const JOB_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Values that no option may have, each with what was expected. */
const refusals = (options: GenerateOptions): (string | null)[] => [
  options.attach !== null && options.plan !== null
    ? `expected a plan or --attach, got both (${options.plan} and --attach ${options.attach})`
    : null,
  options.attach !== null && options.dry_run ? 'expected --attach or --dry-run, got both' : null,
  options.attach !== null && options.job_id !== null
    ? 'expected --attach or --job-id, got both'
    : null,
  options.final !== null && options.plan !== null
    ? `expected a plan or --final, got both (${options.plan} and --final ${options.final})`
    : null,
  options.final !== null && options.attach !== null
    ? 'expected --final or --attach, got both'
    : null,
  options.final !== null && options.dry_run ? 'expected --final or --dry-run, got both' : null,
  options.clips !== null && options.final === null ? 'expected --clips with --final only' : null,
  options.clips?.length === 0 ? '--clips: expected indexes of clips, such as 0,2,5-7' : null,
  options.out === '' ? 'expected a folder after --out, got nothing' : null,
  ...(['attach', 'job_id', 'final'] as const).map((name) => {
    const id = options[name];
    return id === null || JOB_ID.test(id)
      ? null
      : `--${name.replace('_', '-')}: expected letters, digits, _ and -, at most 64, got "${id}"`;
  }),
];

export function parseGenerate(argv: readonly string[]): Parsed {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        'dry-run': { type: 'boolean' },
        json: { type: 'boolean' },
        attach: { type: 'string' },
        final: { type: 'string' },
        clips: { type: 'string' },
        'job-id': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    if (positionals.length > 1) {
      return {
        kind: 'refused',
        message: `expected one plan file, got ${String(positionals.length)} (${positionals.join(', ')})`,
      };
    }
    const options: GenerateOptions = {
      plan: positionals[0] ?? null,
      out: values.out ?? null,
      dry_run: values['dry-run'] === true,
      json: values.json === true,
      attach: values.attach ?? null,
      job_id: values['job-id'] ?? null,
      final: values.final ?? null,
      clips: values.clips === undefined ? null : indexesIn(values.clips),
    };
    const message = refusals(options).find((refusal) => refusal !== null);
    return message === undefined ? { kind: 'run', options } : { kind: 'refused', message };
  } catch (error) {
    return { kind: 'refused', message: firstSentence(error) };
  }
}

const MAX_CLIPS = 1000;

/** `0,2,5-7` → 0, 2, 5, 6, 7; nothing when it is no such list. */
function indexesIn(text: string): number[] {
  const indexes: number[] = [];
  for (const part of text.split(',')) {
    const [from, to = from, ...more] = part.split('-').map((word) => word.trim());
    if (more.length > 0 || ![from, to].every((word) => /^\d{1,6}$/.test(word ?? ''))) return [];
    if (Number(from) > Number(to)) return [];
    for (let index = Number(from); index <= Number(to); index += 1) {
      if (indexes.push(index) > MAX_CLIPS) return [];
    }
  }
  return indexes;
}

/** The options of a command that takes none but these switches. */
export function parseSwitches<Name extends string>(
  argv: readonly string[],
  names: readonly Name[],
): { ok: true; on: ReadonlySet<Name> } | { ok: false; message: string } {
  const on = new Set<Name>();
  for (const word of argv) {
    const name = names.find((known) => word === `--${known}`);
    if (name === undefined) {
      const known = names.length === 0 ? 'no options' : names.map((n) => `--${n}`).join(', ');
      return { ok: false, message: `expected ${known}, got "${word}"` };
    }
    on.add(name);
  }
  return { ok: true, on };
}

/** The words after `npm run models --`: switches, and `--for` with a plan. */
export function parseModels(
  argv: readonly string[],
):
  | { ok: true; on: ReadonlySet<'json' | 'measured'>; plan: string | null }
  | { ok: false; message: string } {
  const at = argv.findIndex((word) => word === '--for' || word.startsWith('--for='));
  const inline = argv[at]?.slice('--for='.length) ?? '';
  const plan = at < 0 ? null : inline === '' ? (argv[at + 1] ?? '') : inline;
  const rest = at < 0 ? argv : argv.toSpliced(at, inline === '' ? 2 : 1);
  const parsed = parseSwitches(rest, ['json', 'measured']);
  if (!parsed.ok) {
    return { ok: false, message: parsed.message.replace('--measured', '--measured, --for PLAN') };
  }
  if (plan === '') return { ok: false, message: 'expected a plan file after --for, got nothing' };
  if (plan !== null && parsed.on.has('measured')) {
    return { ok: false, message: 'expected --for or --measured, got both' };
  }
  return { ...parsed, plan };
}

/** Node explains unknown options in several sentences; the first says it. */
const firstSentence = (error: unknown): string => errorMessage(error).split(/\. |\n/)[0] ?? '';
