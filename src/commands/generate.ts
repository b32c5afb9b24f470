/**
 * `npm run generate`: makes a plan's clips and saves them in a folder. Checks everything that can be checked first; then finds
 * or starts a stack, and follows the job through the HTTP API alone.
 *
 * Exit 0 the job succeeded · 1 it failed or was canceled, or a file is missing · 2 a bad plan, usage or setting ·
 * 129, 130, 143 left by a signal while the job continues.
 */
import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { ReadStream } from 'node:tty';
import { UserError, explain } from './process.js';
import { loadConfig, requireWritable } from '../config.js';
import type { Config } from '../config.js';
import { errorMessage } from '../domain/values/error-message.js';
import { checkPlan } from '../domain/plan/check-plan.schema.js';
import { alternativesFor } from '../domain/pricing/alternatives.js';
import { estimateOf } from '../domain/pricing/estimate.js';
import { reservedIdProblem } from '../domain/plan/reserved-job-id.js';
import { ApiError } from '../client/api-error.js';
import { plural } from '../client/figures.js';
import type { Job, Plan, PlanProblem } from '../client/wire.js';
import { GENERATE_USAGE, parseGenerate } from '../terminal/arguments.js';
import type { GenerateOptions } from '../terminal/arguments.js';
import { estimateText } from '../terminal/estimate-text.js';
import { findStack } from './find-stack.js';
import type { Connected } from './find-stack.js';
import { oneLine, safeJson } from '../terminal/format.js';
import { SIGNAL_CODES, listenForSignals } from '../terminal/interruption.js';
import type { Interruption } from '../terminal/interruption.js';
import { readPlanFile } from './plan-file.js';
import { jsonReporter, plainReporter, screenReporter } from '../terminal/reporters.js';
import type { Reporter } from '../terminal/reporters.js';
import { follow } from '../terminal/session.js';
import type { SessionEnd } from '../terminal/session.js';
import { packageFile } from '../settings/package-files.js';

const EXAMPLE = packageFile('examples/trailer.json');
/** Milliseconds: a stop is done within 30 s, even when a part of it hangs. */
const GRACE = 27_000;

export async function main(argv: string[]): Promise<number> {
  const parsed = parseGenerate(argv);
  if (parsed.kind === 'help') {
    console.log(GENERATE_USAGE);
    return 0;
  }
  if (parsed.kind === 'refused') {
    console.error(`${parsed.message}\n\n${GENERATE_USAGE}`);
    return 2;
  }
  const interruption = listenForSignals();
  interruption.signal.addEventListener('abort', () => {
    setTimeout(() => process.exit(leaveCode(interruption)), GRACE).unref();
  });
  process.stdout.once('error', () => {
    interruption.leave('SIGHUP');
  });
  try {
    return await generate(parsed.options, interruption);
  } catch (error) {
    if (interruption.signal.aborted) return leaveCode(interruption);
    return explained(error);
  } finally {
    interruption.close();
  }
}

const leaveCode = (interruption: Interruption): number =>
  SIGNAL_CODES[interruption.cause() ?? 'SIGTERM'];

function explained(error: unknown): number {
  if (error instanceof ApiError && error.problem.errors.length > 0) {
    printProblems('The plan', error.problem.errors);
    return 2;
  }
  if (error instanceof ApiError && error.status >= 400 && error.status < 500) {
    console.error(oneLine(error.message));
    return 2;
  }
  const { line, code } = explain(error);
  console.error(line);
  return code;
}

function printProblems(what: string, problems: readonly PlanProblem[]): void {
  console.error(`${what} has ${plural(problems.length, 'mistake')}; nothing was started:`);
  for (const { path: place, message } of problems) {
    console.error(`  ${place === '' ? '' : `${place}: `}${oneLine(message)}`);
  }
}

async function generate(options: GenerateOptions, interruption: Interruption): Promise<number> {
  const config = loadConfig();
  const isNew = options.attach === null && options.final === null;
  const plan = isNew ? await checkedPlan(options, config) : null;
  if (plan?.kind === 'done') return plan.code;
  await requireOut(options.out ?? 'out');
  requireWritable(config.data_dir);
  const order = orderOf(options, plan?.value);
  const reporter = createReporter(options);
  try {
    return await run(config, { options, order, interruption, reporter });
  } finally {
    reporter.close();
  }
}

/** What to follow: a job that exists, or one that a plan or a draft starts. */
type Order =
  | { job_id: string }
  | { job_id: null; plan: unknown }
  | { job_id: null; draft: string; wishes: { clips?: readonly number[]; job_id?: string } };

function orderOf({ final, clips, job_id, attach }: GenerateOptions, plan: unknown): Order {
  if (final === null) return plan === undefined ? { job_id: attach ?? '' } : { job_id: null, plan };
  const wishes = {
    ...(clips === null ? {} : { clips }),
    ...(job_id === null ? {} : { job_id }),
  };
  return { job_id: null, draft: final, wishes };
}

type PlanOutcome = { kind: 'plan'; value: unknown } | { kind: 'done'; code: number };

async function checkedPlan(options: GenerateOptions, config: Config): Promise<PlanOutcome> {
  const file = await readPlanFile(options.plan ?? EXAMPLE);
  if (!file.ok) throw new UserError(file.message);
  const value = named(file.value, options.job_id);
  const context = {
    catalogue: config.catalogue,
    default_model: config.default_model,
    duration_buffer: config.duration_buffer,
  };
  const checked = checkPlan(value, context);
  // The API checks whether the id is taken; an estimate asks no API.
  const reserved = options.dry_run ? reservedIdProblem(value, null) : null;
  if (!checked.ok || reserved !== null) {
    const problems = checked.ok ? [] : checked.problems;
    printProblems(options.plan ?? 'The example', [...problems, ...(reserved ? [reserved] : [])]);
    return { kind: 'done', code: 2 };
  }
  if (!options.dry_run) return { kind: 'plan', value };
  const { plan, resolved } = checked;
  const estimate = estimateOf(resolved, alternativesFor(plan, resolved, context));
  console.log(
    options.json ? safeJson(JSON.stringify(estimate)) : estimateText(estimate).join('\n'),
  );
  return { kind: 'done', code: 0 };
}

const named = (value: unknown, jobId: string | null): unknown =>
  jobId !== null && typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { ...value, job_id: jobId }
    : value;

async function requireOut(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new UserError(
      `--out: expected a folder that can be written, got "${folder}" (${errorMessage(error)}); give another with --out DIR.`,
      { cause: error },
    );
  }
}

function createReporter({ json }: GenerateOptions): Reporter {
  const outputs = { stdout: process.stdout, stderr: process.stderr };
  if (json) return jsonReporter(outputs);
  return process.stdout.isTTY ? screenReporter(process.stdout) : plainReporter(outputs);
}

interface Run {
  options: GenerateOptions;
  order: Order;
  interruption: Interruption;
  reporter: Reporter;
}

/** Starts a stack of its own when the stack of another command ends before the job does. */
async function run(config: Config, task: Run): Promise<number> {
  const { interruption, reporter } = task;
  const say = (text: string): void => {
    reporter.say(text);
  };
  let { order } = task;
  let told: number | null = null;
  for (;;) {
    const stack = await findStack(config, { say, signal: interruption.signal });
    try {
      const job = await openJob(stack, order);
      const end = await followOn(stack, job, { ...task, order, told });
      if (end.kind === 'over') return exitCode(end);
      if (end.kind === 'left') {
        reporter.close();
        say(howToResume(stack, job, config));
        return leaveCode(interruption);
      }
      say('The command that ran the stack has ended; the job continues here');
      order = { job_id: job.job_id };
      told = end.job.seq;
    } finally {
      await stack.close();
    }
  }
}

function followOn(
  stack: Connected,
  job: Job,
  { options, order, told, reporter, interruption }: Run & { told: number | null },
): Promise<SessionEnd> {
  const whole = options.json || order.job_id === null;
  const access = { api: stack.api, ui_url: stack.uiUrl(job.job_id) };
  return follow(job, access, {
    out: options.out ?? path.join('out', job.job_id),
    reporter,
    interruption,
    keyboard: keyboard(),
    after: told ?? (whole ? 0 : job.seq),
    isGone: stack.isGone,
  });
}

function openJob({ api }: Connected, order: Order): Promise<Job> {
  if (order.job_id !== null) return api.jobs.get(order.job_id);
  return 'draft' in order
    ? api.jobs.final(order.draft, order.wishes)
    : api.jobs.create(order.plan as Plan);
}

/** Ctrl-C asks a question only where the user can see and answer it. */
const keyboard = (): ReadStream | null =>
  process.stdout.isTTY && process.stdin.isTTY ? process.stdin : null;

function howToResume(stack: Connected, job: Job, config: Config): string {
  const attach = `npm run generate -- --attach ${job.job_id}`;
  return stack.embedded
    ? `Job ${job.job_id} is safe in ${config.data_dir} and continues with: ${attach}   or: npm start`
    : `Job ${job.job_id} continues without this command. Follow it with: ${attach}   or at ${stack.api.urlOf(`/jobs/${job.job_id}`)}`;
}

const exitCode = ({ job, failures }: Extract<SessionEnd, { kind: 'over' }>): number =>
  job.status === 'succeeded' && failures.length === 0 ? 0 : 1;
