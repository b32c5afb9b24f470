/** The last line of a chaos run counts what happened, not what was planned. */
import { expect, it } from 'vitest';
import { figuresOf, lineOf } from '../../chaos/figures.js';
import { schedule } from '../../chaos/schedule.js';
import type { ProcessFault } from '../../chaos/schedule.js';

const plan = schedule({ seed: 7, minutes: 1, workers: 2 });
const of = (injected: ProcessFault[], struck: Record<string, number>) =>
  figuresOf({ plan, jobs: [], ledger: { creates: 0, struck }, injected, findings: [], runs: 9 });

it('a kill is a SIGKILL, counted by its target; stops and suspensions are counted by themselves', () => {
  const where = { index: 0, down: 1 };
  const figures = of(
    [
      { kind: 'kill', target: 'worker', ...where },
      { kind: 'stop', target: 'worker', ...where },
      { kind: 'stop', target: 'api', ...where },
      { kind: 'suspend', target: 'worker', ...where },
      { kind: 'starve', target: 'worker', down: 50 },
      { kind: 'jump', target: 'worker', index: 0 },
      { kind: 'kill', target: 'temporal' },
    ],
    {},
  );
  expect(figures.kills).toBe(2);
  expect(figures.kills_of).toEqual({ worker: 1, api: 0, temporal: 1 });
  expect(lineOf(figures)).toContain(
    ' · kills 2 (worker 1, api 0, temporal 1) · stops 2 · suspends 1 · starves 1 · jumps 1 · terminations 0 · runs 9 · faults 0 · ',
  );
});

it('faults are those that were injected', () => {
  expect(of([], {}).faults).toBe(0);
  expect(of([], { 'http-500': 2, 'fail-once': 1 }).faults).toBe(3);
});
