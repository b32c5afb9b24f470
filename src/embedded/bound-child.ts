/**
 * A child process that is bound to its parent: it cannot outlive this process, and yet does not receive the terminal's Ctrl-C.
 * The program runs in a session of its own, below a small shell that reads a pipe from this process, the lifeline. When the
 * lifeline ends, because it was closed or because this process was killed, the shell ends the program.
 *
 * CHILD-1 The death of this process by any signal ends the program: SIGTERM, and SIGKILL three seconds later.
 * CHILD-2 When the program ends by itself, shell and reader end with it.
 * CHILD-3 When the shell is killed, the whole session is. No process of the session is left when its end is known.
 * CHILD-4 The program's environment has no token, key or setting of this process.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../config.js';

// `read` is built in, so that the reader has no child to leave behind. Fd 3 is the lifeline; the program's id is written to fd 4.
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
wait "$reader" 2>/dev/null
exit "$code"
`;

/** Milliseconds that a killed process may take to be gone; one that init does not reap is not waited for longer. */
const GONE_MS = 100;
/** Milliseconds after which the session is killed although the shell still waits. */
const CLOSE_MS = 8_000;

export interface BoundChild {
  /** Of the program, not of the shell. */
  readonly pid: number;
  /** Resolves when the program has ended, to the signal or exit code, in words. */
  readonly exited: Promise<string>;
  close(): Promise<void>;
}

export async function startBoundChild(
  program: string,
  programArguments: readonly string[],
  onLine: (line: string) => void = () => undefined,
  cwd?: string,
): Promise<BoundChild> {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'bound-child', program, ...programArguments], {
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
    env: childEnvironment(), // CHILD-4
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const failed = new Promise<never>((_resolve, reject) => shell.once('error', reject));
  const exited = new Promise<string>((resolve) => {
    shell.once('exit', (code, signal) => {
      void endSession(shell.pid).then(() => {
        resolve(inWords(code, signal));
      });
    });
  });
  for (const output of [shell.stdout, shell.stderr]) {
    createInterface({ input: output as Readable }).on('line', onLine);
  }
  const lifeline = shell.stdio[3] as Writable;
  // The shell may end first.
  lifeline.on('error', () => undefined);
  const pidText = await Promise.race([firstLine(shell.stdio[4] as Readable), failed]);
  // Never 0, which would name the process group of this process.
  if (pidText === '')
    throw new Error(`expected ${program} to start, but ${await exited} came first`);
  const pid = Number(pidText);
  return {
    pid,
    exited,
    async close() {
      lifeline.end();
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

/** A shell's exit code is 128 + the number of the signal that ended its program. */
const inWords = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal ?? (code !== null && code > 128 ? `signal ${String(code - 128)}` : `exit ${String(code)}`);

/** CHILD-3 A process that was killed is still there for a moment, so that what ends right after would leave it behind. */
async function endSession(leader: number | undefined): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  while (killSession(leader) && Date.now() < deadline) await sleep(5);
}

/** Whether the session had a process left. */
function killSession(leader: number | undefined): boolean {
  if (leader === undefined) return false;
  try {
    process.kill(-leader, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
