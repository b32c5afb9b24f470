/** What processes and their children take of the machine, as Linux counts it in /proc. */
import { readFileSync, readdirSync } from 'node:fs';

export interface Use {
  /** Seconds since they started, of children that have ended too. */
  cpu: number;
  /** Bytes that are resident now. */
  resident: number;
}

/** Of Linux on every common machine: `getconf CLK_TCK` and `getconf PAGESIZE`. */
const TICKS = 100;
const PAGE = 4096;

interface Process extends Use {
  pid: number;
  parent: number;
}

/** The processes and all that descends from them. */
export function useOf(pids: readonly number[]): Use {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? look(name) : []));
  const counted = new Set(pids);
  for (let before = 0; before !== counted.size;) {
    before = counted.size;
    for (const { pid, parent } of all) if (counted.has(parent)) counted.add(pid);
  }
  const ours = all.filter(({ pid }) => counted.has(pid));
  return {
    cpu: ours.reduce((sum, { cpu }) => sum + cpu, 0),
    resident: ours.reduce((sum, { resident }) => sum + resident, 0),
  };
}

function look(name: string): Process[] {
  try {
    return [parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'))];
  } catch {
    return []; // it has ended meanwhile
  }
}

/** proc_pid_stat(5): the name in brackets may hold anything. */
export function parseStat(text: string): Process {
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, childrenUser, childrenSystem, pages] = [1, 11, 12, 13, 14, 21].map(
    (at) => Number(rest[at]),
  ) as [number, number, number, number, number, number];
  return {
    pid: Number(text.slice(0, text.indexOf(' '))),
    parent,
    cpu: (user + system + childrenUser + childrenSystem) / TICKS,
    resident: pages * PAGE,
  };
}
