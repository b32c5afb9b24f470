/** Two ledgers of the same money: the jobs' and the simulator's. */
import { expect } from 'vitest';
import type { SimulatorStats } from '../../src/simulator/stats.js';
import type { Job } from '../../src/domain/job/job.schema.js';

/** Line by line and in sum: every prediction is in one ledger, with the state and the bill it has at the provider. */
export function expectSameLedger(
  { predictions, bills }: Pick<SimulatorStats, 'predictions' | 'bills'>,
  ...jobs: readonly Job[]
): void {
  const here = jobs
    .flatMap(({ clips }) => clips.flatMap((clip) => clip.predictions))
    .map(({ id, status, billed, cost_usd }) => [id, status, billed, cost_usd]);
  const there = predictions.map(({ id, status, billed, usd }) => [id, status, billed, usd]);
  expect(here.sort()).toEqual(there.sort());
  const said = jobs.reduce((sum, { total_cost_usd }) => sum + total_cost_usd, 0);
  expect(said).toBeCloseTo(bills.usd, 6);
}
