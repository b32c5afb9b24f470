/**
 * A thread of a child that watches the whole process while a task keeps its main thread busy: resident memory,
 * processor time, and whether the parent still lives. What is over a limit is ended from here, since a main thread
 * that allocates or loops hears no message and no signal handler.
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { CELL, VERDICT_FD } from './protocol.js';
import type { GuardData, Verdict } from './protocol.js';

/** Milliseconds; what a task can allocate in between is what it can exceed its limit by. */
const BETWEEN_LOOKS = 20;

function end(verdict: Verdict | null): void {
  try {
    if (verdict !== null) writeSync(VERDICT_FD, verdict);
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
    // At rest the thread sleeps: an idle child costs nothing.
    Atomics.wait(cells, CELL.TASK, 0);
    const task = Atomics.load(cells, CELL.TASK);
    const began = cpuMs();
    while (task !== 0 && Atomics.load(cells, CELL.TASK) === task) {
      if (process.memoryUsage.rss() > Atomics.load(cells, CELL.MEGABYTES) * 2 ** 20) end('memory');
      if (cpuMs() - began > Atomics.load(cells, CELL.CPU_MS)) end('time');
      if (process.ppid !== parent) end(null);
      Atomics.wait(cells, CELL.TASK, task, BETWEEN_LOOKS);
    }
  }
}

watch(workerData as GuardData);
