/**
 * The child processes of set-up. They stay in the process group of this process, so that SIGKILL of the group ends them too. When
 * a signal comes to this process alone, `stopChildren` ends them with all their descendants (npm and go start many).
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { isRunning, processStat } from './process-liveness.mjs';
import { root } from './paths.mjs';

const alive = new Set();

/**
 * Resolves to the exit code and the output of the program. Never rejects: a missing program is a result too.
 * `output: 'inherit'` streams instead of collecting. `started` is given the child.
 */
export function run(
  program,
  programArguments,
  { env = {}, output = 'collect', limit, started } = {},
) {
  return new Promise((resolve) => {
    const collect = output === 'collect';
    const child = spawn(program, programArguments, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: collect ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    alive.add(child);
    started?.(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => (text = (text + chunk).slice(-200_000)));
    }
    const timer = limit && setTimeout(() => kill(child.pid, 'SIGKILL'), limit);
    const settle = (ok, code) => {
      clearTimeout(timer);
      alive.delete(child);
      resolve({ ok, code, text });
    };
    child.once('error', (error) => {
      text += error.message;
      settle(false, null);
    });
    child.once('close', (code) => settle(code === 0, code));
  });
}

/** The line of an output that explains a failure best. */
export const errorLine = (text, pattern = /error|fail|cannot|not found/i) => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => pattern.test(line)) ?? lines.at(-1) ?? 'no output').trim();
};

/** Sends SIGTERM, waits up to `grace` milliseconds, then sends SIGKILL. */
export async function stopChildren(grace = 3_000) {
  const family = [...alive].flatMap(({ pid }) => (pid ? [pid, ...descendants(pid)] : []));
  for (const pid of family) kill(pid, 'SIGTERM');
  const until = Date.now() + grace;
  while (family.some(isRunning) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const rest = family.flatMap((pid) => [pid, ...descendants(pid)]);
  for (const pid of rest) if (isRunning(pid)) kill(pid, 'SIGKILL');
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** By /proc of Linux; on other systems only the children themselves are known. */
export function descendants(pid) {
  const children = new Map();
  for (const entry of listProcesses()) {
    const parent = processStat(entry)?.[1];
    if (parent) children.set(parent, [...(children.get(parent) ?? []), entry]);
  }
  const collect = (id) => (children.get(id) ?? []).flatMap((child) => [+child, ...collect(child)]);
  return collect(String(pid));
}

function listProcesses() {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
