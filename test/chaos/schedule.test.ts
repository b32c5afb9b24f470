/** A schedule follows from its seed. */
import { describe, expect, it } from 'vitest';
import { schedule } from '../../chaos/schedule.js';
import { Random } from '../../chaos/random.js';
import { CREATES, FATAL, FILES, READS, RUNS } from '../../chaos/clip-faults.js';
import { parseFault } from '../../src/simulator/fault-injector.js';
import { CONTEXT, problemsOf } from '../support/checked-plans.js';

describe('a schedule', () => {
  it('follows from its seed alone', () => {
    const wanted = { minutes: 5, workers: 2 };
    expect(schedule({ seed: 7, ...wanted })).toEqual(schedule({ seed: 7, ...wanted }));
    expect(schedule({ seed: 8, ...wanted })).not.toEqual(schedule({ seed: 7, ...wanted }));
  });

  it('has the same faults of processes for any number of jobs', () => {
    const wanted = { seed: 7, minutes: 5, workers: 2 };
    expect(schedule({ ...wanted, jobs: 3 }).process_faults).toEqual(
      schedule(wanted).process_faults,
    );
  });

  it('has no plan that the API would refuse, with any seed', () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const plans = seeds.flatMap((seed) => schedule({ seed, minutes: 20, workers: 2 }).jobs);
    const refused = plans.filter(({ plan }) => problemsOf(plan, CONTEXT).length > 0);
    expect(refused).toEqual([]);
  });

  it('knows only faults that the simulator has', () => {
    const tags = [CREATES, RUNS, READS, FILES, FATAL].flat().flatMap((trouble) => trouble.tags);
    expect(tags.filter((tag) => parseFault(tag) === undefined)).toEqual([]);
  });
});

describe('chance', () => {
  it('stays within its bounds and reaches both ends', () => {
    const chance = new Random(1);
    const drawn = new Set(Array.from({ length: 1000 }, () => chance.integer(2, 4)));
    expect([...drawn].sort()).toEqual([2, 3, 4]);
  });
});
