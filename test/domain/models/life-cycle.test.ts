/** A model that is gone is refused with what takes its place; one that goes is used, and said so. */
import { describe, expect, it } from 'vitest';
import { alternativesFor } from '../../../src/domain/pricing/alternatives.js';
import type { PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import {
  lifeCycleOf,
  lifeCycleProblems,
  lifeCycleText,
} from '../../../src/domain/models/life-cycle.js';
import type { Catalogue, LifeCycle, ModelRow } from '../../../src/domain/models/row.js';
import { clip, IMAGE, plan } from '../plan/bad-plans.js';
import { ALIVE, rowOf } from './rows.js';
import { accepted, CONTEXT, problemsOf } from '../../support/checked-plans.js';

const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
const PRO = 'bytedance/seedance-1-pro';
const VEO = 'google/veo-3.1';

const ended = (status: LifeCycle['status'], successor: string | null): LifeCycle => ({
  status,
  since: '2026-09-15',
  until: null,
  successor,
  source: 'a test',
});

/** The catalogue with other life cycles for some of its rows. */
function where(cycles: Readonly<Record<string, LifeCycle>>): Catalogue {
  const rows = Object.entries(cycles).map(([id, life_cycle]): [string, ModelRow] => [
    id,
    { ...rowOf(id), life_cycle },
  ]);
  return new Map([...ALIVE, ...rows]);
}

const contextOf = (catalogue: Catalogue): PlanContext => ({
  ...CONTEXT,
  catalogue,
  default_model: VEO,
});

const refusal = (value: unknown, catalogue: Catalogue) => problemsOf(value, contextOf(catalogue));

const warnings = (value: unknown, catalogue: Catalogue): string[] =>
  accepted(value, contextOf(catalogue)).resolved.warnings;

describe('a retired model', () => {
  const retired = where({ [KLING]: ended('retired', PRO) });

  it('is refused with its successor and the cost of the plan there, with the settings that both have', () => {
    const asked = plan({ model: KLING, settings: { resolution: '720p' } });
    const bare = plan({ model: KLING });
    expect(JSON.stringify(refusal(bare, retired))).toContain('costs $3.15, $2.1 more than here');
    expect(refusal(asked, retired)).toEqual([
      {
        path: 'model',
        message: `expected a model that is not retired, got "${KLING}" (retired since 2026-09-15); its successor is ${PRO}, where this plan costs $1.26, $0.21 more than here`,
      },
    ]);
  });

  it('is refused with a successor that is cheaper, equally expensive, or of unknown price', () => {
    const lite = where({ [KLING]: ended('retired', 'google/veo-3.1-lite') });
    const longer = plan({ model: KLING }, clip(0, { duration: 5.1 }));
    expect(JSON.stringify(refusal(longer, lite))).toContain('costs $0.4, $0.3 less than here');
    const same = where({ [KLING]: ended('retired', 'kwaivgi/kling-v2.6') });
    expect(JSON.stringify(refusal(plan({ model: KLING }), same))).toContain('as much as here');
    const unpriced = new Map(retired).set(PRO, { ...rowOf(PRO), prices: [] });
    expect(JSON.stringify(refusal(plan({ model: KLING }), unpriced))).toContain(
      'whose price for this plan is not known',
    );
  });

  it('is refused with a successor that cannot make the plan, and without a successor', () => {
    const stills = where({ [KLING]: ended('retired', 'kwaivgi/kling-v2.1') });
    expect(JSON.stringify(refusal(plan({ model: KLING }), stills))).toContain(
      'kwaivgi/kling-v2.1, which cannot make this plan as it is',
    );
    const none = where({ [KLING]: ended('retired', null) });
    expect(refusal(plan({ model: KLING }), none)).toEqual([
      { path: 'model', message: expect.stringMatching(/\(retired since 2026-09-15\)$/) as string },
    ]);
  });

  it('is reported together with other mistakes of the plan', () => {
    const twice = plan({ model: KLING }, clip(0), clip(0));
    const paths = refusal(twice, retired).map(({ path }) => path);
    expect(paths).toContain('model');
    expect(paths.length).toBeGreaterThan(1);
  });

  it('is neither listed among the models to choose from nor offered as cheaper', () => {
    const unknown = JSON.stringify(refusal(plan({ model: 'no/such' }), retired));
    expect(unknown).toContain(PRO);
    expect(unknown).not.toContain(KLING);
    const context = contextOf(retired);
    const checked = accepted(plan({ model: VEO }), context);
    const models = alternativesFor(checked.plan, checked.resolved, context).map((a) => a.model);
    expect(models.length).toBeGreaterThan(0);
    expect(models).not.toContain(KLING);
  });
});

describe('a model that is being replaced', () => {
  it.each(['superseded', 'deprecated'] as const)('is used, with a warning: %s', (status) => {
    const going = where({ [KLING]: ended(status, PRO) });
    expect(warnings(plan({ model: KLING }), going)).toEqual([
      `${KLING} is ${status} since 2026-09-15; its successor is ${PRO}`,
    ]);
    expect(warnings(plan({ model: KLING }), ALIVE)).toEqual([]);
  });

  it('has its announced end in the warning', () => {
    const row = {
      ...rowOf(KLING),
      life_cycle: { ...ended('deprecated', null), until: '2027-01-31' },
    };
    expect(lifeCycleText(row)).toBe('deprecated since 2026-09-15, until 2027-01-31');
  });

  it('may need an image', () => {
    const [first] = warnings(
      plan({ model: 'kwaivgi/kling-v2.1' }, clip(0, { scene_reference_url: IMAGE })),
      CATALOGUE,
    );
    expect(first).toContain('kwaivgi/kling-v2.1 is deprecated since 2026-09-15');
  });
});

describe('life cycles', () => {
  it('of the catalogue lead to existing models', () => {
    expect(lifeCycleProblems(CATALOGUE)).toEqual([]);
  });

  it('have a source for every model', () => {
    const known = [...CATALOGUE.values()].map(lifeCycleOf).filter((c) => c.status !== 'active');
    expect(known.length).toBeGreaterThan(5);
    expect(known.filter(({ source }) => source === '')).toEqual([]);
  });

  it.each([
    ['to no model', { [KLING]: ended('superseded', 'no/such') }, /got "no\/such"$/],
    ['to itself', { [KLING]: ended('superseded', KLING) }, /which leads back to it$/],
    [
      'to one that is retired',
      { [KLING]: ended('superseded', PRO), [PRO]: ended('retired', null) },
      /which is retired$/,
    ],
    [
      'in a circle',
      { [KLING]: ended('superseded', PRO), [PRO]: ended('superseded', KLING) },
      /which leads back to it$/,
    ],
  ])('that lead %s are refused', (_where, cycles, message) => {
    const [first] = lifeCycleProblems(where(cycles));
    expect(first).toMatch(message);
  });

  it('that end in a cycle of others are reported at that cycle', () => {
    const cycles = {
      [VEO]: ended('superseded', KLING),
      [KLING]: ended('superseded', PRO),
      [PRO]: ended('superseded', KLING),
    };
    expect(lifeCycleProblems(where(cycles))).toHaveLength(2);
  });
});
