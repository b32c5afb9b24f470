/**
 * The models that take over where the plan's own cannot make a clip: only those that the plan names, in its order. Pure.
 *
 * FALLBACK-1 Each is held against the whole plan, settings and cap included, before anything is paid; one that cannot make it as it
 *    is asked for is refused.
 */
import type { PlannedClip, Resolution, ResolvedClip, ResolvedFallback } from './resolved.js';
import type { PlanProblem } from './plan-problems.schema.js';

export interface Fallbacks {
  fallbacks: ResolvedFallback[];
  problems: PlanProblem[];
  warnings: string[];
}

/** `resolveOn`: the plan on that model alone. */
export function resolveFallbacks(
  names: readonly string[],
  own: string,
  resolveOn: (model: string) => Resolution,
): Fallbacks {
  const all: Fallbacks = { fallbacks: [], problems: [], warnings: [] };
  for (const [place, name] of names.entries()) {
    const path = `fallback_models.${String(place)}`;
    const refuse = (message: string): void => void all.problems.push({ path, message });
    if (name === own) {
      refuse(`expected another model than the plan's own, got "${name}"`);
      continue;
    }
    const { resolved, problems } = resolveOn(name);
    if (resolved === null || problems.length > 0) {
      refuse(inOneSentence(name, problems));
      continue;
    }
    const { model, clips, estimated_cost_usd, warnings } = resolved;
    all.fallbacks.push({ model, clips: clips.map(plannedOf), estimated_cost_usd });
    all.warnings.push(...warnings.map((text) => `if ${name} takes over: ${text}`));
  }
  return all;
}

/** The plan of a model that is retired, as the first of its fallbacks, `next`, makes it with those after it. */
export function takenOver(retired: string, next: string, found: Resolution): Resolution {
  const { resolved, problems } = found;
  const pathOf = (path: string): string => {
    if (path === 'model') return 'fallback_models.0';
    const [field, place, ...rest] = path.split('.');
    return field === 'fallback_models' ? [field, Number(place) + 1, ...rest].join('.') : path;
  };
  const warning = `${retired} is retired: ${next} makes the clips, as fallback_models says`;
  return {
    resolved: resolved && { ...resolved, warnings: [warning, ...resolved.warnings] },
    problems: problems.map(({ path, message }) => ({ path: pathOf(path), message })),
  };
}

/** What is wrong with the name itself says so itself. */
function inOneSentence(name: string, [first, ...others]: readonly PlanProblem[]): string {
  if (first?.path === 'model') return first.message;
  const more = others.length === 0 ? '' : `, and ${String(others.length)} more`;
  const why = first === undefined ? '' : ` (${first.path}: ${first.message}${more})`;
  return `expected a model that can make this plan, got "${name}"${why}`;
}

function plannedOf({
  prompt: _prompt,
  negative_prompt: _negative,
  metadata: _metadata,
  target_duration: _target,
  original_target_duration: _original,
  ...planned
}: ResolvedClip): PlannedClip {
  return planned;
}
