/**
 * G1–G4 at once: many jobs, random faults, random kills, and at the end two ledgers that agree. The schedule of this seed
 * kills worker, API and Temporal at least twice each, never while the target may still be down, sets a worker's clock
 * wrong, and has users who cancel, pause, retry and terminate. Every longer job continues as new.
 */
import { describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { lineOf } from '../../chaos/figures.js';
import { runChaos } from '../../chaos/run.js';

describe('after a short run of chaos', () => {
  it('every prediction is in one ledger, stored or explained, and paid once', async () => {
    const { figures, findings } = await runChaos({
      seed: 35785,
      minutes: 0.7,
      jobs: 8,
      provider_clock: 0,
      cli: findTemporalCli() ?? '',
      log: () => undefined,
      signal: new AbortController().signal,
    });
    console.log(lineOf(figures));
    expect(findings).toEqual([]);
    for (const kills of Object.values(figures.kills_of)) expect(kills).toBeGreaterThan(0);
    expect(figures.runs).toBeGreaterThan(figures.jobs);
    expect(figures.faults).toBeGreaterThan(0);
    expect(figures.creates).toBeGreaterThan(0);
  }, 600_000);
});
