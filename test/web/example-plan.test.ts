import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXAMPLE_PLAN } from '../../src/web/example-plan.js';

describe("the page's example", () => {
  it('is the plan that `npm run generate` runs', () => {
    const file = new URL('../../examples/trailer.json', import.meta.url);
    expect(EXAMPLE_PLAN).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });
});
