/**
 * No input from outside breaks anything. In `npm test` the cases are the same each time; `npm run fuzz` gives
 * every fuzzer its share of the time (FUZZ_SECONDS) with seeds that follow from one (FUZZ_SEED), and takes the findings from
 * FUZZ_FINDINGS, one JSON object a line.
 */
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FUZZERS } from './index.js';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 0);
const findings = process.env['FUZZ_FINDINGS'];
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

it.each(FUZZERS)(
  'no $name breaks anything',
  async ({ name, runs, open }) => {
    const until = performance.now() + seconds * 1000;
    await using fuzzer = await open();
    let seed = firstSeed;
    let cases = 0;
    let failed = false;
    do {
      const found = await fc.check(fuzzer.property, { seed, numRuns: runs });
      cases += found.numRuns;
      if (found.failed) {
        failed = true;
        const says = `${fc.defaultReportMessage(found) ?? ''}\n${String(found.errorInstance)}`;
        if (findings === undefined) expect.fail(says);
        appendFileSync(findings, `${JSON.stringify({ name, seed, says })}\n`);
      }
      seed = (seed + 1) % 2 ** 31;
    } while (performance.now() < until);
    if (findings !== undefined) appendFileSync(findings, `${JSON.stringify({ name, cases })}\n`);
    expect(failed).toBe(false);
  },
  // Only what hangs takes longer.
  seconds * 1000 + 180_000,
);
