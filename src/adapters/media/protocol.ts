/**
 * The messages between the pool and its children, and the one table of the tasks' limits. A message holds plain data and bytes,
 * no functions.
 */
/** Of a video track. */
export interface Measured {
  /** Seconds. */
  duration: number;
  width: number;
  height: number;
}

export type ImageFormat = 'jpeg' | 'png' | 'webp';

export interface ImageFacts {
  format: ImageFormat;
  width: number;
  height: number;
}

/** `kept`: where it was asked for, the image scaled down to what a composite needs. */
export interface Inspected extends ImageFacts {
  kept: Uint8Array | null;
}

/** What a composite is made of. */
export interface CompositeParts {
  /** `16:9` */
  aspect_ratio: string;
  scene: Uint8Array;
  characters: readonly Uint8Array[];
  objects: readonly Uint8Array[];
}

/** Task → what goes in and what comes out. */
export interface Tasks {
  /** Loads what videos need. */
  prepare: { input: null; output: null };
  measure: { input: { file: string }; output: Measured };
  /** A JPEG of the frame at `at` seconds. */
  thumbnail: { input: { file: string; at: number }; output: Uint8Array };
  inspect: { input: { bytes: Uint8Array; keep: boolean }; output: Inspected };
  compose: { input: CompositeParts; output: Uint8Array };
}

export type TaskName = keyof Tasks;

export interface Limits {
  /** Resident memory of the whole child, native code included. An idle child has 60 to 220. */
  megabytes: number;
  /** Processor time, of all threads: a machine that is busy or was asleep uses up none of it. */
  cpu_seconds: number;
  /** Silence after which the child is killed. Says nothing about the input. */
  wall_seconds: number;
}

interface TaskRow {
  limits: Limits;
  /** "… took more than 10 s of processor time to measure". */
  verb: string;
}

/**
 * Measured on 2 cores, warm: 0.01 s to measure a clip of 5 s; a still 0.02 s at 1024×576, 0.13 s and 232 MB at
 * 4096×2304; an image of 49 megapixels at worst 1.6 s and 580 MB (interlaced PNG of 16 bits, progressive CMYK JPEG).
 */
export const TASKS: Readonly<Record<TaskName, TaskRow>> = {
  prepare: { verb: 'prepare for', limits: { megabytes: 384, cpu_seconds: 20, wall_seconds: 60 } },
  measure: { verb: 'measure', limits: { megabytes: 384, cpu_seconds: 5, wall_seconds: 60 } },
  thumbnail: { verb: 'picture', limits: { megabytes: 512, cpu_seconds: 20, wall_seconds: 60 } },
  inspect: { verb: 'look at', limits: { megabytes: 768, cpu_seconds: 20, wall_seconds: 60 } },
  compose: { verb: 'compose', limits: { megabytes: 512, cpu_seconds: 20, wall_seconds: 60 } },
};

export interface Request {
  task: TaskName;
  input: unknown;
  limits: Limits;
}

/** An error as data; `index` names the part of a composite that is at fault. */
export interface Thrown {
  name: string;
  message: string;
  index?: number;
}

/** `resident`: bytes that the child holds after the task. */
export type Reply =
  | { type: 'done'; value: unknown; resident: number }
  | { type: 'thrown'; error: Thrown; resident: number };

/** The limit that was exceeded: the guard writes it to this file descriptor before it kills its process. */
export type LimitName = 'memory' | 'time';
export const GUARD_FD = 4;

/** Cells of the memory that a child shares with its guard. `TASK` is the number of the running task, 0 when idle. */
export const CELL = { TASK: 0, MEGABYTES: 1, CPU_MS: 2 } as const;

export interface GuardData {
  cells: Int32Array<SharedArrayBuffer>;
  /** The process that the child must not outlive. */
  parent: number;
}
