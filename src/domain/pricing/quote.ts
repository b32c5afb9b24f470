/**
 * Length and cost of clips on a model, without their inputs: fast enough to compare a plan of a thousand clips on every
 * model of the catalogue. Pure.
 *
 * QUOTE-1 the figures equal those of `resolveClip`; null where it would report a problem.
 * QUOTE-2 what clips have in common is computed once.
 */
import { missingImages, fieldProblems } from '../plan/clip-problems.js';
import { estimateCost, priceFor } from './cost.js';
import { chooseDuration, type LegalDuration } from '../plan/duration-planner.js';
import type { ModelRow } from '../models/row.js';
import { brokenRules, pricedInputs } from '../models/rules.js';
import type { ClipPrompt } from '../plan/plan.schema.js';
import { referencesOf } from '../references/assign-references.js';
import {
  durationRequest,
  isRuled,
  outlineOf,
  withDuration,
  type Input,
  type JobChoices,
  type Outline,
} from '../plan/resolve-clip.js';

/** Length and cost of one clip on a model. */
export interface Quote {
  requested_duration: number;
  /** Null: no price is known. */
  estimated_cost_usd: number | null;
}

interface QuotedKind {
  outline: Outline;
  quotes: Map<LegalDuration, Quote | null>;
}

export function quoting(job: JobChoices): (asked: ClipPrompt) => Quote | null {
  const { row } = job;
  const kinds = new Map<string, QuotedKind>();
  const kindOf = kindsOf(row);
  return (asked) => {
    if (fieldProblems(row, asked, '').length > 0) return null;
    const name = kindOf(asked);
    const kind: QuotedKind = kinds.get(name) ?? {
      outline: outlineOf(asked, job),
      quotes: new Map<LegalDuration, Quote | null>(),
    };
    kinds.set(name, kind);
    const { before, lengths } = kind.outline;
    const chosen = chooseDuration(lengths.possible, durationRequest(job, asked.duration));
    const known = kind.quotes.get(chosen);
    if (known !== undefined) return known;
    const quote = quoteOf(job, withDuration(row, before, chosen), chosen.seconds);
    kind.quotes.set(chosen, quote);
    return quote;
  };
}

function quoteOf({ row, check_rules }: JobChoices, input: Input, seconds: number): Quote | null {
  const broken = check_rules ? brokenRules(row, input) : [];
  if (missingImages(row, input, '').length + broken.length > 0) return null;
  return {
    requested_duration: seconds,
    estimated_cost_usd: estimateCost(priceFor(row, input), seconds, row.usual_time),
  };
}

/**
 * Clips of one kind differ only in length and in what no price and no rule depends on: texts, URLs, and the seed unless the
 * row names it.
 */
function kindsOf(row: ModelRow): (asked: ClipPrompt) => string {
  const { seed } = row;
  const seedMatters = seed !== null && (isRuled(row, seed) || pricedInputs(row).includes(seed));
  return (asked) => {
    const {
      scene,
      characters,
      objects,
      end = null,
      videos = [],
      audios = [],
    } = referencesOf(asked);
    const lists = [characters, objects, videos, audios].map((urls) => urls.length);
    const files = [Number(scene !== null), Number(end !== null), ...lists];
    return [...files, seedMatters ? String(asked.seed) : ''].join(' ');
  };
}
