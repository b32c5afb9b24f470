/** The line of a chaos run says what happened, not what was planned. */
import { expect, it } from 'vitest';
import { figuresOf, lineOf } from '../../chaos/figures.js';
import { schedule } from '../../chaos/schedule.js';
import type { Blow } from '../../chaos/schedule.js';

const plan = schedule({ seed: 7, minutes: 1, workers: 2 });
const of = (fallen: Blow[], struck: Record<string, number>) =>
  figuresOf({ plan, jobs: [], booked: { creates: 0, struck }, fallen, findings: [], runs: 9 });

it('a kill is a SIGKILL, by whom it hit; stops and suspensions are counted by themselves', () => {
  const where = { which: 0, down: 1 };
  const figures = of(
    [
      { kind: 'kill', whom: 'worker', ...where },
      { kind: 'stop', whom: 'worker', ...where },
      { kind: 'stop', whom: 'api', ...where },
      { kind: 'suspend', whom: 'worker', ...where },
      { kind: 'starve', whom: 'worker', down: 50 },
      { kind: 'jump', whom: 'worker', which: 0 },
      { kind: 'kill', whom: 'temporal' },
    ],
    {},
  );
  expect(figures.kills).toBe(2);
  expect(figures.kills_of).toEqual({ worker: 1, api: 0, temporal: 1 });
  expect(lineOf(figures)).toContain(
    ' · kills 2 (worker 1, api 0, temporal 1) · stops 2 · suspends 1 · starves 1 · jumps 1 · terminations 0 · runs 9 · faults 0 · ',
  );
});

it('faults are those that struck', () => {
  expect(of([], {}).faults).toBe(0);
  expect(of([], { 'http-500': 2, 'fail-once': 1 }).faults).toBe(3);
});
