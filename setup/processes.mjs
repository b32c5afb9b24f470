/**
 * The child processes of set-up. They stay in our process group, so that SIGKILL of the group takes them too; when a
 * signal comes to us alone, `stopChildren` ends them with everything they started (npm and go start many).
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { isRunning, processStat } from './process-liveness.mjs';
import { root } from './paths.mjs';

const alive = new Set();

/**
 * Resolves to how the program ended and what it said; never rejects, so a missing program is an outcome too.
 * `output: 'inherit'` streams instead of collecting.
 */
export function run(program, programArguments, { env = {}, output = 'collect', limit } = {}) {
  return new Promise((resolve) => {
    const collect = output === 'collect';
    const child = spawn(program, programArguments, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: collect ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    alive.add(child);
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

/** The line of an output that says most about a failure. */
export const lastWords = (text, pattern = /error|fail|cannot|not found/i) => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => pattern.test(line)) ?? lines.at(-1) ?? 'no output').trim();
};

/** Asks, waits up to `grace` milliseconds, then insists. */
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
    // It was quicker.
  }
}

/** Linux keeps the family tree in /proc; elsewhere only the children themselves are known. */
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
