/**
 * A model of the catalogue as one row of data: what it takes, what it makes, what it costs. Everything
 * else follows from rows: what a plan may ask, what is sent, the provider schema that the simulator
 * enforces, and the answer of GET /v1/models. A row is JSON (snake_case), so that people can add rows
 * by a file. Types only; a row holds no code and no exception lives outside its row.
 *
 * ROW-1 `inputs` is the provider's whole input schema; every other name in a row is a key of it.
 * ROW-2 every input that changes the price is a file, in `sends`, or the duration input, so it is always explicit.
 * ROW-3 prices carry the day they were read and where.
 * ROW-4 exactly one price fits each combination of legal inputs that a price looks at, so that a new value of an
 *    enumeration has no price rather than a wrong one. A row without any price is one whose price is not known.
 */
import type { BufferStrategy, UnitPrice } from '../job/job.schema.js';

export type Scalar = string | number | boolean;

interface FieldBase {
  readonly required?: boolean;
  readonly description?: string;
}
export interface TextField extends FieldBase {
  readonly type: 'string';
  readonly enum?: readonly string[];
  readonly max_length?: number;
  readonly default?: string;
}
/** A file, given as an http(s) URL. */
export interface FileField extends FieldBase {
  readonly type: 'uri';
}
export interface NumberField extends FieldBase {
  readonly type: 'integer' | 'number';
  readonly enum?: readonly number[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}
export interface BooleanField extends FieldBase {
  readonly type: 'boolean';
  readonly default?: boolean;
}
/** A list of files. */
export interface FilesField extends FieldBase {
  readonly type: 'uris';
  readonly max_items?: number;
}
export type InputField = TextField | FileField | NumberField | BooleanField | FilesField;

/** The values a duration input takes, in its own unit. */
export type LegalValues =
  | { readonly values: readonly number[] }
  | { readonly min: number; readonly max: number; readonly step: number };

interface DurationBase {
  readonly strategy: BufferStrategy;
  /** The input that carries it; null when the model always makes one length. */
  readonly input: string | null;
  readonly legal: LegalValues;
}
export interface SecondsRule extends DurationBase {
  readonly unit: 'seconds';
}
/** Models that count frames: seconds = frames / frames per second. */
export interface FramesRule extends DurationBase {
  readonly unit: 'frames';
  /** Frames per second while nothing else is asked. */
  readonly fps: number;
  /** The input that sets frames per second; null where they are fixed. */
  readonly fps_input: string | null;
  /** What is sent for a number of frames, where that is not the number: `{ "14": "14_frames_with_svd" }`. */
  readonly labels?: Readonly<Record<string, string>>;
}
export type DurationRule = SecondsRule | FramesRule;

export interface RatioRule {
  /** Null: the model has no such input; `values` are then what it makes anyway. */
  readonly input: string | null;
  readonly values: readonly string[];
  /** With a start image the picture decides, and an asked ratio is ignored there. */
  readonly follows_image: boolean;
  /** What has to be sent with a start image, where that is not nothing. */
  readonly with_image?: string;
}

/** Files of one kind that the model takes as references; the input may hold one or a list. */
export interface ReferenceInput {
  readonly input: string;
  readonly limit: number;
}

/** A word of a plan's `settings` → the model's own input. Inputs can be set by their own names as well. */
export interface SettingRule {
  /** Null: the model has no such input; `only` and `differs` say what may be asked all the same. */
  readonly input: string | null;
  /** Asked → sent, for spellings that the model has another word for. */
  readonly as?: Readonly<Record<string, Scalar>>;
  /** What the model makes anyway: may be asked, nothing is sent. */
  readonly only?: readonly Scalar[];
  /** Wishes that cannot be had but are let pass → what happens instead; `*` = any other value. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** What may be asked of the value of an input. A number is compared itself, of files their number is. */
export type Test =
  | { readonly is: 'set' | 'unset' }
  | { readonly one_of: readonly Scalar[] }
  | { readonly at_most: number }
  | { readonly at_least: number };

/** True or not of an input object; an absent input counts as its default. */
export type Condition =
  (Test & { readonly input: string }) | { readonly any_of: readonly Condition[] };

/** When all of `when` hold, all of `then` must. The provider accepts a breach and fails the run later (E006). */
export interface CrossRule {
  readonly when: readonly Condition[];
  readonly then: readonly Condition[];
  readonly says: string;
}

/** What is charged once for each file of an input, but for the first `above` of them. */
export interface Fee {
  readonly input: string;
  readonly usd: number;
  readonly above?: number;
}

/** The price of inputs of which all of `when` is true: a value of each, or something else that may be asked of it. */
export interface PriceRow extends Readonly<Omit<UnitPrice, 'fee_usd'>> {
  readonly when?: Readonly<Record<string, Scalar | Test>>;
  readonly fees?: readonly Fee[];
}

export interface LifeCycle {
  /**
   * superseded: there is a better one; deprecated: its end is announced, or its maker has ended it; retired: it is gone, and
   * plans for it are refused.
   */
  readonly status: 'active' | 'superseded' | 'deprecated' | 'retired';
  /** The day from which on that is so; null where nobody has said. */
  readonly since: string | null;
  /** Of a deprecated model: the day on which it ends, where that is announced. */
  readonly until: string | null;
  /** The model of the catalogue that takes its place. */
  readonly successor: string | null;
  /** Who says so. */
  readonly source: string;
}

export interface ModelRow {
  /** owner/name */
  readonly id: string;
  readonly title: string;
  /** Official models run by name; community models by a version. */
  readonly official: boolean;
  /** 64-hex pin of a community model; null there = the newest at plan time, frozen with the job. */
  readonly version: string | null;
  readonly inputs: Readonly<Record<string, InputField>>;
  readonly prompt: string | null;
  readonly negative_prompt: string | null;
  readonly seed: string | null;
  /** May be the list of references: one file is then the start image, several are references. */
  readonly start_image: string | null;
  readonly end_image: string | null;
  /** Images. */
  readonly references: ReferenceInput | null;
  /** Absent: none that a plan can give. */
  readonly reference_videos?: ReferenceInput;
  readonly reference_audios?: ReferenceInput;
  /** The input that switches sound on; null = the model makes none or offers no choice. */
  readonly audio: string | null;
  readonly duration: DurationRule;
  readonly aspect_ratio: RatioRule;
  readonly settings: Readonly<Record<string, SettingRule>>;
  /** Sent always, unless the plan asks for something else: whatever changes price or length. */
  readonly sends: Readonly<Record<string, Scalar>>;
  /** The inputs to set for a draft, which is quicker and costs less; absent where the model has none. */
  readonly draft?: Readonly<Record<string, Scalar>>;
  readonly rules: readonly CrossRule[];
  readonly prices: readonly PriceRow[];
  /** One URL, or a list of them. */
  readonly output: 'uri' | 'uris';
  /** Frames per second of the file, where that is known. */
  readonly output_fps: number | null;
  /** Seconds a prediction usually takes; loosely measured, for forecasts and polling only. */
  readonly usual_time: number;
  /** Are failed and canceled predictions charged? True unless the provider says otherwise. */
  readonly bills_failed: boolean;
  /** Absent: what life-cycle.ts says of its id, else active. */
  readonly life_cycle?: LifeCycle;
  /** Where the model differs from what people expect. */
  readonly notes: readonly string[];
}

export type Catalogue = ReadonlyMap<string, ModelRow>;
