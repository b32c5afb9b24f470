/**
 * The faults that a clip of a chaos run may have, as rows: the fault tags of its prompt, and what the product promises
 * for them. A row promises as little as possible: how many predictions the faults cost at most, and how the clip may
 * end when no user interferes.
 */
import type { FailureKind } from '../src/domain/job/failures.js';

export interface ClipFaults {
  /** As they stand in the prompt, without brackets. */
  tags: readonly string[];
  /** Predictions beyond the first that these faults cost. */
  extra: number;
  /** The kinds it may fail with; null: it has to succeed. */
  fails: readonly FailureKind[] | null;
  /** Predictions may succeed at the provider and not be stored, because their output is useless. */
  spoils?: true;
  /** A second prediction may be bought before the first is listed; both are in the ledger, and one may be canceled. */
  late_duplicate?: true;
  /** No further clip of its job may start. */
  halts?: true;
}

const survives = (tag: string, extra = 0): ClipFaults => ({ tags: [tag], extra, fails: null });
const spoils = (tag: string, extra: number, fails: ClipFaults['fails'] = null): ClipFaults => ({
  tags: [tag],
  extra,
  fails,
  spoils: true,
});
const ends = (tag: string, extra: number, ...fails: FailureKind[]): ClipFaults => ({
  tags: [tag],
  extra,
  fails,
});
const halts = (tag: string, kind: FailureKind): ClipFaults => ({
  ...ends(tag, 0, kind),
  halts: true,
});

/** The create is answered badly, late or not at all. */
export const CREATES: readonly [ClipFaults, ...ClipFaults[]] = [
  survives('http-429:1:2'),
  survives('http-429-header:1'),
  survives('http-429-text:1:2'),
  survives('low-credit:2'),
  survives('http-500'),
  survives('http-502-html'),
  survives('reset'),
  survives('reset:2'),
  survives('hang-create'),
  survives('slow-create:3'),
  survives('slow-answer:4'),
  survives('accept-then-drop'),
  survives('accept-then-500'),
  survives('accept-then-502'),
  survives('accept-then-hang'),
  survives('garbled-201'),
  survives('cut-201'),
];

/** The render itself goes wrong, or takes its time. */
export const RUNS: readonly [ClipFaults, ...ClipFaults[]] = [
  survives('slow:4'),
  survives('slow:9'),
  survives('slow:25'),
  survives('hidden-from-list:3'),
  survives('fail-once', 1),
  survives('fail-empty', 1),
  survives('interrupted', 1),
  survives('E9828', 1),
  survives('E8765', 1),
  survives('E6716', 1),
  survives('E9825', 1),
  survives('E001', 1),
  survives('aborted', 1),
  spoils('null-output', 1),
  spoils('empty-output', 1),
  spoils('wrong-duration:1', 1),
];

/** Reading and canceling go wrong. */
export const READS: readonly [ClipFaults, ...ClipFaults[]] = [
  survives('poll-500:3'),
  survives('poll-502-html:2'),
  survives('poll-404:3'),
  survives('poll-429:1:2'),
  survives('poll-reset:3'),
  survives('poll-garbled:2'),
  survives('poll-cut:2'),
  survives('cancel-500'),
  survives('cancel-reset:2'),
];

/** The download goes wrong. */
export const FILES: readonly [ClipFaults, ...ClipFaults[]] = [
  survives('truncated-file'),
  survives('short-file'),
  survives('empty-file'),
  survives('slow-file:3'),
  survives('html-file'),
  survives('file-404'),
  survives('file-403'),
  survives('file-500:2'),
  survives('gzip-file'),
];

/** No attempt gets past these. */
export const FATAL: readonly [ClipFaults, ...ClipFaults[]] = [
  ends('fail-always', 2, 'provider_error'),
  ends('flagged', 0, 'flagged'),
  ends('nsfw', 0, 'flagged'),
  ends('invalid', 0, 'invalid_input'),
  ends('E1001', 0, 'invalid_input'),
  spoils('expired-file', 0, ['output_lost']),
  spoils('too-large-file', 0, ['output_lost']),
  spoils('webm-file', 0, ['no_output']),
  spoils('billion-samples-file', 0, ['output_lost']),
  spoils('wrong-duration', 2, ['wrong_duration']),
  halts('http-402', 'insufficient_credit'),
  halts('spend-limit', 'insufficient_credit'),
  halts('http-401', 'unauthorized'),
];

/** Accepted, not answered, and listed a moment after the search for it has ended. */
export const LATE_DUPLICATE: ClipFaults = {
  tags: ['accept-then-drop', 'hidden-from-list:14'],
  extra: 1,
  fails: null,
  spoils: true,
  late_duplicate: true,
};

export const NO_FAULTS: ClipFaults = { tags: [], extra: 0, fails: null };

/** Several faults of different places, as one. */
export function together(faults: readonly ClipFaults[]): ClipFaults {
  const fails = faults.flatMap((trouble) => trouble.fails ?? []);
  return {
    tags: faults.flatMap(({ tags }) => tags),
    extra: faults.reduce((sum, { extra }) => sum + extra, 0),
    fails: fails.length === 0 ? null : fails,
    ...(faults.some((trouble) => trouble.spoils) ? { spoils: true } : {}),
    ...(faults.some((trouble) => trouble.halts) ? { halts: true } : {}),
  };
}
