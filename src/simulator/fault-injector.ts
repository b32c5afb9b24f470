/**
 * Decides which faults to inject: tags in the input and rules from control calls, each as often as it is meant to. It
 * counts; its row tells what a fault does.
 *
 * INJECT-1 A tag is injected per identical input while a prediction is created, and per prediction after that, so that
 *    the retry of a prompt with `[[fail-once]]` succeeds.
 * INJECT-2 Of several faults of one kind only the first is injected, and the others wait for the next time.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/values/canonical-json.js';
import type { Effect, FaultPoint } from './effects.js';
import { FAULTS, type FaultRow } from './faults.js';
import type { Input } from './published-models.js';

/** One use of a row: which, with what argument, how often. */
interface FaultUse {
  name: string;
  seconds: number;
  /** Infinity: always. */
  times: number;
}

/** The request or prediction that a fault is chosen for. */
export interface Subject {
  model: string;
  /** All the text of the input. */
  text: string;
  /** Its tags, without brackets. */
  tags: readonly string[];
  /** Tells identical inputs from others. */
  input_key: string;
  /** Null as long as it is not accepted. */
  prediction_id: string | null;
}

export interface FaultRule {
  id: number;
  /** Part of the model's name or of the input's text; null: every request. */
  match: string | null;
  fault: string;
  remaining: number;
}

const TAG = /\[\[([a-z0-9-]+(?::[a-z0-9.-]+)*)\]\]/gi;

/** Reads `http-429:5:2`: name, then what the row takes. Undefined when there is no such row. */
export function parseFault(text: string): FaultUse | undefined {
  const parts = text.split(':');
  const length = [2, 1].find((count) => Object.hasOwn(FAULTS, parts.slice(0, count).join(':')));
  const name = parts.slice(0, length ?? 0).join(':');
  const row = FAULTS[name];
  if (length === undefined || row === undefined) return undefined;
  const given = new Map(row.takes.map((what, index) => [what, parts[length + index]]));
  return {
    name,
    seconds: numeral(given.get('seconds')) ?? row.seconds,
    times: numeral(given.get('times')) ?? row.times,
  };
}

function numeral(text: string | undefined): number | undefined {
  if (text === 'always') return Infinity;
  const number = Number(text);
  return text === undefined || text === '' || Number.isNaN(number) ? undefined : number;
}

/** All the text of an input, where tags may stand. */
export const textOf = (input: Input): string =>
  Object.values(input)
    .flat()
    .filter((value) => typeof value === 'string')
    .join('\n');

/** The tags in a text, and those among them that name no fault. */
export function tagsIn(text: string): { tags: string[]; unknown: string[] } {
  const tags = [...text.matchAll(TAG)].map((match) => match[1] ?? '');
  return { tags, unknown: tags.filter((tag) => parseFault(tag) === undefined) };
}

/** Equal for equal inputs, in any order of their keys. */
export const inputKey = (model: string, input: Input): string =>
  createHash('sha256')
    .update(canonicalJson([model, input]))
    .digest('hex')
    .slice(0, 24);

const PER_INPUT: ReadonlySet<FaultPoint> = new Set(['before-accept', 'accept', 'after-accept']);

export class FaultInjector {
  #rules: FaultRule[] = [];
  #lastRule = 0;
  readonly #uses = new Map<string, number>();
  readonly #injected = new Map<string, number>();
  readonly #onUse: (key: string) => void;

  /** `onUse` is called with every counted use, for the journal. */
  constructor(onUse: (key: string) => void = () => undefined) {
    this.#onUse = onUse;
  }

  add(match: string | null, fault: string, times?: number): FaultRule | undefined {
    const use = parseFault(fault);
    if (use === undefined) return undefined;
    const rule = { id: ++this.#lastRule, match, fault, remaining: times ?? use.times };
    this.#rules.push(rule);
    return rule;
  }

  /** How often each fault was injected since the simulator started, by name. */
  get struck(): Record<string, number> {
    return Object.fromEntries(this.#injected);
  }

  get rules(): readonly FaultRule[] {
    return this.#rules;
  }

  /** Forgets the rules; tags go on counting. */
  clear(): void {
    this.#rules = [];
  }

  forget(): void {
    this.clear();
    this.#uses.clear();
    this.#injected.clear();
  }

  /** Counts a use that was recorded earlier. */
  remember(key: string): void {
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
  }

  /** Every counted use, as `onUse` has heard them. */
  *uses(): Generator<string> {
    for (const [key, count] of this.#uses) {
      for (let time = 0; time < count; time += 1) yield key;
    }
  }

  /** The next effect at this point whose kind is not excluded, counted as used; undefined when there is none. */
  take(
    at: FaultPoint,
    subject: Subject,
    without: ReadonlySet<string> = new Set(),
  ): Effect | undefined {
    const fits = (use: FaultUse): Effect | undefined => {
      const row: FaultRow | undefined = FAULTS[use.name];
      const effect = row?.at === at ? row.effect(use.seconds) : undefined;
      return effect !== undefined && !without.has(effect.kind) ? effect : undefined;
    };
    return this.#takeRule(subject, fits) ?? this.#takeTag(at, subject, fits);
  }

  /** Every effect at this point, one of a kind. */
  takeAll(at: FaultPoint, subject: Subject): Effect[] {
    const effects: Effect[] = [];
    for (;;) {
      const effect = this.take(at, subject, new Set(effects.map(({ kind }) => kind)));
      if (effect === undefined) return effects;
      effects.push(effect);
    }
  }

  #takeRule(subject: Subject, fits: (use: FaultUse) => Effect | undefined): Effect | undefined {
    for (const rule of this.#rules) {
      const use = parseFault(rule.fault);
      if (use === undefined || rule.remaining <= 0 || !matches(rule, subject)) continue;
      const effect = fits(use);
      if (effect === undefined) continue;
      rule.remaining -= 1;
      this.#count(use);
      return effect;
    }
    return undefined;
  }

  #takeTag(
    at: FaultPoint,
    subject: Subject,
    fits: (use: FaultUse) => Effect | undefined,
  ): Effect | undefined {
    const scope = PER_INPUT.has(at) ? subject.input_key : (subject.prediction_id ?? '');
    for (const tag of subject.tags.flatMap((written) => parseFault(written) ?? [])) {
      const effect = fits(tag);
      const key = `${scope} ${tag.name}`;
      if (effect === undefined || (this.#uses.get(key) ?? 0) >= tag.times) continue;
      // A fault without a limit need not be counted, and would only grow the journal.
      if (tag.times !== Infinity) {
        this.remember(key);
        this.#onUse(key);
      }
      this.#count(tag);
      return effect;
    }
    return undefined;
  }

  #count({ name }: FaultUse): void {
    this.#injected.set(name, (this.#injected.get(name) ?? 0) + 1);
  }
}

const matches = ({ match }: FaultRule, { model, text }: Subject): boolean =>
  match === null || model.includes(match) || text.includes(match);
