/**
 * Which models are superseded, deprecated or retired, since when, by which successor, and the source. A table by id, apart
 * from the rows, because rows are spread into each other. Pure.
 *
 * LIFE-CYCLE-1 a successor is another model of the catalogue that is not retired, and successors form no cycle.
 */
import { MODEL_UNAVAILABLE } from '../job/failure-kinds.js';
import type { Catalogue, LifeCycle, ModelRow } from './row.js';

const ACTIVE: LifeCycle = {
  status: 'active',
  since: null,
  until: null,
  successor: null,
  source: 'no notice is known',
};

/** A newer version of the family exists, without a notice of the provider. */
const superseded = (successor: string | null, source: string, since?: string): LifeCycle => ({
  status: 'superseded',
  since: since ?? null,
  until: null,
  successor,
  source,
});

const WAN_PAGES = 'model pages of 2026-10-06, without a notice';
const KLING_PAGES = 'model pages of 2026-10-06, without a notice; Kling 3 is there';

const LIFE_CYCLES: Readonly<Record<string, LifeCycle>> = {
  'bytedance/seedance-1-lite': {
    status: 'retired',
    since: '2026-05-13',
    until: null,
    successor: 'bytedance/seedance-2.0-mini',
    source: 'Comfy-Org/ComfyUI 13060; every size failed on Replicate, pollinations 11073',
  },
  'bytedance/seedance-1-pro': superseded(
    'bytedance/seedance-2.0-fast',
    'model page of 2026-10-06, without a notice',
  ),
  'kwaivgi/kling-v2.1': {
    status: 'deprecated',
    since: '2026-09-15',
    until: null,
    successor: 'kwaivgi/kling-v3-video',
    source: 'ended by its maker, Comfy-Org/docs 1326; still priced on Replicate on 2026-10-05',
  },
  'kwaivgi/kling-v2.5-turbo-pro': superseded('kwaivgi/kling-v3-video', KLING_PAGES),
  'kwaivgi/kling-v2.6': superseded('kwaivgi/kling-v3-video', KLING_PAGES),
  'kwaivgi/kling-o1': superseded('kwaivgi/kling-v3-omni-video', 'by the order of versions'),
  'minimax/hailuo-2.3': superseded('minimax/h3', 'MiniMax H3 is there', '2026-07-31'),
  'minimax/hailuo-2.3-fast': superseded('minimax/h3', 'MiniMax H3 is there', '2026-07-31'),
  'wan-video/wan-2.7-i2v': superseded('alibaba/wan-3', 'Wan 3 is there; no end announced'),
  'wan-video/wan-2.5-i2v': superseded('alibaba/wan-3', 'Wan 3 is there; no end announced'),
  'wan-video/wan-2.2-i2v-fast': superseded('alibaba/wan-3', WAN_PAGES),
  'wan-video/wan-2.2-t2v-fast': superseded('alibaba/wan-3', WAN_PAGES),
  'lightricks/ltx-video': superseded(
    'lightricks/ltx-2.5-fast',
    'LTX 2.5 is there; no notice found',
  ),
};

/** The row's own life cycle comes first. */
export const lifeCycleOf = (row: ModelRow): LifeCycle =>
  row.life_cycle ?? LIFE_CYCLES[row.id] ?? ACTIVE;

export const isRetired = (row: ModelRow): boolean => lifeCycleOf(row).status === 'retired';

/** `deprecated since 2026-09-15; its successor is kwaivgi/kling-v3-video`; null for an active model. */
export function lifeCycleText(row: ModelRow): string | null {
  const { status, since, until, successor } = lifeCycleOf(row);
  if (status === 'active') return null;
  return [
    `${status}${since === null ? '' : ` since ${since}`}${until === null ? '' : `, until ${until}`}`,
    ...(successor === null ? [] : [`its successor is ${successor}`]),
  ].join('; ');
}

/** The message of a clip whose model the provider no longer has; `said`: its answer. The catalogue may not know yet. */
export function modelUnavailable(id: string, catalogue: Catalogue, said: string): string {
  const row = catalogue.get(id);
  const successor = row === undefined ? null : lifeCycleOf(row).successor;
  const instead = successor === null ? '' : `; its successor is ${successor}`;
  return `${MODEL_UNAVAILABLE}: the provider has no model ${id} (${said})${instead}`;
}

/** LIFE-CYCLE-1, a sentence for each row that breaks it. */
export function lifeCycleProblems(catalogue: Catalogue): string[] {
  return [...catalogue.values()].flatMap((row) => {
    const { successor } = lifeCycleOf(row);
    if (successor === null) return [];
    const next = catalogue.get(successor);
    const got = (what: string): string[] => [
      `${row.id}: life_cycle.successor: expected a model of the catalogue that is not retired, got "${successor}"${what}`,
    ];
    if (next === undefined) return got('');
    if (isRetired(next)) return got(', which is retired');
    return leadsBack(row, catalogue) ? got(', which leads back to it') : [];
  });
}

function leadsBack(row: ModelRow, catalogue: Catalogue): boolean {
  const passed = new Set<string>();
  for (let id = lifeCycleOf(row).successor; id !== null && !passed.has(id);) {
    if (id === row.id) return true;
    passed.add(id);
    const next = catalogue.get(id);
    id = next === undefined ? null : lifeCycleOf(next).successor;
  }
  return false;
}
