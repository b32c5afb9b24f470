/**
 * A model of the catalogue as one row of data: its inputs, its output, its prices. Everything else follows from rows: what a
 * plan may set, what is sent, the provider schema that the simulator enforces, and the answer of GET /v1/models. A row is
 * JSON (snake_case), so that people can add rows in a file. It has no code, and no exception is made outside it.
 *
 * ROW-1 `inputs` is the provider's whole input schema; every other name in a row is a key of it.
 * ROW-2 every input that changes the price is a file, in `sends`, or the duration input, so it is always explicit.
 * ROW-3 a price has the day it was read, and its source.
 * ROW-4 exactly one price fits each combination of legal values of the priced inputs, so that a new value of an enumeration
 *    has no price rather than a wrong one. A row without prices is a model whose price is not known.
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
interface BooleanField extends FieldBase {
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
  /** The input for the length; null when the model always makes one length. */
  readonly input: string | null;
  readonly legal: LegalValues;
}
export interface SecondsRule extends DurationBase {
  readonly unit: 'seconds';
}
/** Models that count frames: seconds = frames / frames per second. */
interface FramesRule extends DurationBase {
  readonly unit: 'frames';
  /** Frames per second by default. */
  readonly fps: number;
  /** The input that sets frames per second; null where they are fixed. */
  readonly fps_input: string | null;
  /** The value that is sent for a number of frames, where it is not the number: `{ "14": "14_frames_with_svd" }`. */
  readonly labels?: Readonly<Record<string, string>>;
}
export type DurationRule = SecondsRule | FramesRule;

interface RatioRule {
  /** Null: the model has no such input, and `values` are the ratios that it makes anyway. */
  readonly input: string | null;
  readonly values: readonly string[];
  /** With a start image, the clip has the ratio of that image, and the plan's ratio is ignored. */
  readonly follows_image: boolean;
  /** The ratio to send with a start image; absent: none is sent. */
  readonly with_image?: string;
}

/** Files of one kind that the model takes as references; the input may hold one or a list. */
interface ReferenceInput {
  readonly input: string;
  readonly limit: number;
}

/** A name in a plan's `settings` → an input of the model. Inputs can be set by their own names as well. */
export interface SettingRule {
  /** Null: the model has no such input; `only` and `differs` list values that a plan may set anyway. */
  readonly input: string | null;
  /** Value in the plan → value that is sent, where they differ. */
  readonly as?: Readonly<Record<string, Scalar>>;
  /** What the model makes anyway: a plan may set it, and nothing is sent. */
  readonly only?: readonly Scalar[];
  /** Values that are accepted without effect → what happens instead; `*`: any other value. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** A test of an input's value. Numbers are compared by value, files by how many there are. */
export type Test =
  | { readonly is: 'set' | 'unset' }
  | { readonly one_of: readonly Scalar[] }
  | { readonly at_most: number }
  | { readonly at_least: number };

/** A condition on an input object; an absent input counts as its default. */
export type Condition =
  (Test & { readonly input: string }) | { readonly any_of: readonly Condition[] };

/** When all of `when` hold, all of `then` must. The provider accepts a breach and fails the run later (E006). */
export interface CrossRule {
  readonly when: readonly Condition[];
  readonly then: readonly Condition[];
  readonly says: string;
}

/** Charged once for each file of an input, except the first `above` files. */
interface Fee {
  readonly input: string;
  readonly usd: number;
  readonly above?: number;
}

/** A price for inputs that fulfil all of `when`: a value or a test for each. */
export interface PriceRow extends Readonly<Omit<UnitPrice, 'fee_usd'>> {
  readonly when?: Readonly<Record<string, Scalar | Test>>;
  readonly fees?: readonly Fee[];
}

export interface LifeCycle {
  /**
   * superseded: a better model exists; deprecated: its end is announced, or its maker has ended it; retired: it no longer
   * exists, and plans for it are refused.
   */
  readonly status: 'active' | 'superseded' | 'deprecated' | 'retired';
  /** The first day of that status; null where it is not known. */
  readonly since: string | null;
  /** Of a deprecated model: the day on which it ends, where that is announced. */
  readonly until: string | null;
  /** The model of the catalogue that replaces it. */
  readonly successor: string | null;
  /** Where that was read. */
  readonly source: string;
}

export interface ModelRow {
  /** owner/name */
  readonly id: string;
  readonly title: string;
  /** Official models run by name; community models by a version. */
  readonly official: boolean;
  /** Pinned version (64 hex digits) of a community model; null: the newest when the plan is checked, frozen with the job. */
  readonly version: string | null;
  readonly inputs: Readonly<Record<string, InputField>>;
  readonly prompt: string | null;
  readonly negative_prompt: string | null;
  readonly seed: string | null;
  /** May be the input of `references`: one file is then the start image, several are references. */
  readonly start_image: string | null;
  readonly end_image: string | null;
  /** Reference images. */
  readonly references: ReferenceInput | null;
  /** Absent: the model takes no reference videos of a plan. */
  readonly reference_videos?: ReferenceInput;
  readonly reference_audios?: ReferenceInput;
  /** The input that switches sound on; null: the model makes no sound, or always makes it. */
  readonly audio: string | null;
  readonly duration: DurationRule;
  readonly aspect_ratio: RatioRule;
  readonly settings: Readonly<Record<string, SettingRule>>;
  /** Always sent unless the plan sets something else: every input that changes price or length. */
  readonly sends: Readonly<Record<string, Scalar>>;
  /** The inputs of a draft, which is faster and costs less; absent where the model makes none. */
  readonly draft?: Readonly<Record<string, Scalar>>;
  readonly rules: readonly CrossRule[];
  readonly prices: readonly PriceRow[];
  /** One URL, or a list of them. */
  readonly output: 'uri' | 'uris';
  /** Frames per second of the file, where that is known. */
  readonly output_fps: number | null;
  /** Seconds that a prediction usually takes, roughly; for forecasts and polling only. */
  readonly usual_time: number;
  /** Are failed and canceled predictions charged? True unless the provider says otherwise. */
  readonly bills_failed: boolean;
  /** Absent: the entry of life-cycle.ts, or active. */
  readonly life_cycle?: LifeCycle;
  /** Where the model differs from what a person expects. */
  readonly notes: readonly string[];
}

export type Catalogue = ReadonlyMap<string, ModelRow>;
