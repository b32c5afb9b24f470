/**
 * Real commands as real processes, as a person starts them: output captured, facts waited for, killed for real.
 * Each runs in a process group of its own, which `killGroup` takes whole, npm included.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { eventually } from './eventually.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface ProcessOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** `startProcess(['npm', 'run', 'temporal'], { env })`; the environment is only what is given, PATH and HOME. */
export function startProcess(
  [program, ...words]: readonly [string, ...string[]],
  { cwd = ROOT, env = {} }: ProcessOptions = {},
): RunningProcess {
  const { PATH, HOME } = process.env;
  const child = spawn(program === 'node' ? process.execPath : program, words, {
    cwd,
    detached: true,
    env: { PATH, HOME, TEMPORAL_CLI: findTemporalCli() ?? '', ...env },
    stdio: [program === 'script' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  return new RunningProcess(child);
}

/** The same at a terminal of its own, for what asks a person: `script` of util-linux plays one. */
export function startAtTerminal(
  words: readonly string[],
  options: ProcessOptions = {},
): RunningProcess {
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  // A shell in between would die of the Ctrl-C that the program answers.
  const command = `exec ${line}`;
  return startProcess(
    ['script', '--quiet', '--return', '--command', command, '/dev/null'],
    options,
  );
}

export class RunningProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  /** Everything it said, on both streams, in order. */
  output = '';
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'close');
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.output += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.output += chunk.toString();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves to the first match; fails when the process ends without it. */
  async waitFor(pattern: RegExp, { timeout = 120_000 } = {}): Promise<RegExpExecArray> {
    const { match } = await eventually(
      `output matching ${String(pattern)} from process ${String(this.pid)}`,
      () => {
        const match = pattern.exec(this.output);
        return Promise.resolve({
          done: match !== null || !this.isRunning,
          value: { match, output: this.output },
        });
      },
      { timeout },
    );
    if (match === null) {
      throw new Error(
        `expected output matching ${String(pattern)}, but it ended with: ${this.output}`,
      );
    }
    return match;
  }

  /** Keys, at a terminal. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** To this process alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** To its whole group, as a terminal does. */
  signalGroup(name: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, name);
    } catch {
      // No process is left in it.
    }
  }

  /** Exit code as a shell shows it. */
  async exit(): Promise<number> {
    await this.#exit;
    const { exitCode, signalCode } = this.#child;
    return (
      exitCode ??
      ({ SIGKILL: 137, SIGTERM: 143, SIGINT: 130 } as Record<string, number>)[signalCode ?? ''] ??
      1
    );
  }

  async killGroup(): Promise<void> {
    this.signalGroup('SIGKILL');
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.killGroup();
  }
}

/** Processes whose command line or working folder holds the words, zombies left out. Linux only. */
export function processesWith(words: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => commandLine(pid).includes(words) || workingFolder(pid).includes(words));
}

/** For messages: the id and the command line. */
export const describeProcess = (pid: number): string => `${String(pid)} ${commandLine(pid)}`;

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`);
  } catch {
    return '';
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
