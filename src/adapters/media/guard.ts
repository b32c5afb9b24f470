/**
 * A thread of a child that watches the whole process while a task keeps its main thread busy: resident memory,
 * processor time, and whether the parent is alive. It kills the process that exceeds a limit: a main thread that allocates or
 * loops runs no message or signal handler.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { CELL, GUARD_FD } from './protocol.js';
import type { GuardData, LimitName } from './protocol.js';

/** Milliseconds between two checks: a task can exceed its limit by what it allocates in that time. */
const INTERVAL = 20;

function kill(exceeded: LimitName | null): void {
  try {
    if (exceeded !== null) writeSync(GUARD_FD, exceeded);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function watch({ cells, parent }: GuardData): void {
  for (;;) {
    // Between tasks the thread sleeps: an idle child costs nothing.
    Atomics.wait(cells, CELL.TASK, 0);
    const task = Atomics.load(cells, CELL.TASK);
    const start = cpuMs();
    while (task !== 0 && Atomics.load(cells, CELL.TASK) === task) {
      if (process.memoryUsage.rss() > Atomics.load(cells, CELL.MEGABYTES) * 2 ** 20) kill('memory');
      if (cpuMs() - start > Atomics.load(cells, CELL.CPU_MS)) kill('time');
      if (process.ppid !== parent) kill(null);
      Atomics.wait(cells, CELL.TASK, task, INTERVAL);
    }
  }
}

watch(workerData as GuardData);
