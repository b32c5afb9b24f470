/**
 * Runs a program so that it cannot outlive this process, and yet does not hear the terminal's Ctrl-C.
 * The program sits in a session of its own behind a small shell that reads a pipe from us: when the pipe ends, because
 * we closed it or because we were killed, the shell ends the program.
 *
 * T1 Our death by any signal ends the program: SIGTERM, and SIGKILL three seconds later.
 * T2 When the program ends by itself, shell and reader end with it.
 * T3 When the shell is killed, the whole session is.
 * T4 The program sees no token, key or setting of ours.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { childEnvironment } from '../config.js';

// `read` is built in, so ending the reader leaves no child of it behind. Fd 3 is the pipe, fd 4 tells the pid.
const SCRIPT = `
"$@" </dev/null 3<&- 4>&- &
program=$!
echo "$program" >&4
exec 4>&-
(
  read -r _ <&3
  kill -TERM "$program" 2>/dev/null
  tries=0
  while [ "$tries" -lt 30 ] && kill -0 "$program" 2>/dev/null; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$program" 2>/dev/null
) &
reader=$!
exec 3<&-
wait "$program"
code=$?
kill -KILL "$reader" 2>/dev/null
exit "$code"
`;

/** After this the session is killed although the shell still waits. */
const CLOSE_MS = 8_000;

export interface Tethered {
  /** Of the program itself, not of the shell. */
  readonly pid: number;
  /** Resolves when it is gone, to how it ended, in words. */
  readonly exited: Promise<string>;
  close(): Promise<void>;
}

export async function tether(
  program: string,
  programArguments: readonly string[],
  onLine: (line: string) => void = () => undefined,
  cwd?: string,
): Promise<Tethered> {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'tether', program, ...programArguments], {
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const failed = new Promise<never>((_resolve, reject) => shell.once('error', reject));
  const exited = new Promise<string>((resolve) => {
    shell.once('exit', (code, signal) => {
      killSession(shell.pid);
      resolve(inWords(code, signal));
    });
  });
  for (const output of [shell.stdout, shell.stderr]) {
    createInterface({ input: output as Readable }).on('line', onLine);
  }
  const rope = shell.stdio[3] as Writable;
  // The shell may be gone first.
  rope.on('error', () => undefined);
  const told = await Promise.race([firstLine(shell.stdio[4] as Readable), failed]);
  // Never 0, which would stand for our own process group.
  if (told === '') throw new Error(`expected ${program} to start, but ${await exited} came first`);
  const pid = Number(told);
  return {
    pid,
    exited,
    async close() {
      rope.end();
      const timer = setTimeout(() => {
        killSession(shell.pid);
      }, CLOSE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text.trim();
}

/** A shell reports 128 + the number of the signal that ended its program. */
const inWords = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal ?? (code !== null && code > 128 ? `signal ${String(code - 128)}` : `exit ${String(code)}`);

function killSession(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
