/**
 * Resolves a plan on its `fallback_models`, in the plan's order. Pure.
 *
 * FALLBACK-1 Each is checked against the whole plan, settings and cap included, before anything is paid; a model that cannot make
 *    the plan as it is makes the plan invalid.
 */
import type { PlannedClip, Resolution, ResolvedClip, ResolvedFallback } from './resolved.js';
import type { PlanProblem } from './plan-problems.schema.js';

interface Fallbacks {
  fallbacks: ResolvedFallback[];
  problems: PlanProblem[];
  warnings: string[];
}

/** `resolveOn` resolves the plan on that model alone. */
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

/** Describes a plan of a retired model that its first fallback, `next`, makes: a warning, and paths in the original plan. */
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

/** A problem with the name of the model is a sentence of its own. */
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
