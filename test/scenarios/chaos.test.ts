/** G1–G4 at once: many jobs, random faults, random kills, and in the end two sets of books that agree. */
import { describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../setup/temporal-cli.mjs';
import { lineOf } from '../../src/chaos/figures.js';
import { runChaos } from '../../src/chaos/run.js';

describe('after a short run of chaos', () => {
  it('every prediction is in one ledger, stored or explained, and paid once', async () => {
    const { figures, findings } = await runChaos({
      seed: 4,
      minutes: 0.7,
      jobs: 8,
      cli: findTemporalCli() ?? '',
      log: () => undefined,
      signal: new AbortController().signal,
    });
    console.log(lineOf(figures));
    expect(findings).toEqual([]);
    expect(figures.kills).toBeGreaterThan(0);
    expect(figures.creates).toBeGreaterThan(0);
  }, 600_000);
});
