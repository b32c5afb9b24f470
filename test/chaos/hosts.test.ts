/** A chaos run over hosts can be repeated, judges its viewers' streams by the log, and counts what happened. */
import { expect, it } from 'vitest';
import { hostFiguresOf, hostLineOf } from '../../chaos/hosts/host-figures.js';
import { hostSchedule } from '../../chaos/hosts/host-schedule.js';
import { streamFindings } from '../../chaos/hosts/streams.js';
import { schedule } from '../../chaos/schedule.js';
import type { Action, Timed } from '../../chaos/schedule.js';
import type { JobEvent } from '../../src/domain/job/job.schema.js';

const options = { seed: 7, minutes: 10 };

it('the same seed gives the same jobs as on one machine, and the same faults of every kind', () => {
  const plan = hostSchedule(options);
  expect(hostSchedule(options)).toEqual(plan);
  expect(plan.jobs).toEqual(schedule({ ...options, workers: 1 }).jobs);
  const kinds = new Set(plan.faults.map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(['crash', 'cut', 'jump', 'kill', 'restart', 'stop']);
  expect(hostSchedule({ ...options, seed: 8 }).faults).not.toEqual(plan.faults);
});

const event = (seq: number, message = 'm'): JobEvent =>
  ({ seq, type: 'job.warning', message, at: '2026-11-22T12:00:00.000Z' }) as unknown as JobEvent;
const log = [event(1), event(2), event(3)];

const kindsOf = (
  events: JobEvent[],
  { actions = [], refused = null }: { actions?: Timed<Action>[]; refused?: string | null } = {},
): string[] => {
  const scheduled = { at: 0, job_id: 'j', plan: { clip_prompts: [] }, faults: [], actions };
  return streamFindings({ scheduled, log }, { events, refused }).map(({ kind }) => kind);
};

it('a stream has every event of the log once and in order', () => {
  expect(kindsOf(log)).toEqual([]);
  expect(kindsOf([event(1), event(1), event(2), event(3)])).toEqual(['disagreement']);
  expect(kindsOf([event(1), event(3)])).toEqual(['disagreement']);
  expect(kindsOf([event(1), event(2, 'other'), event(3)])).toEqual(['disagreement']);
  expect(kindsOf([...log, event(4)])).toEqual(['disagreement']);
  expect(kindsOf([], { refused: '401' })).toEqual(['disagreement']);
});

it('only the stream of a job that is retried after its end may end before the log does', () => {
  const short = log.slice(0, 2);
  const actions: Timed<Action>[] = [{ at: 1, kind: 'retry' }];
  expect(kindsOf(short)).toEqual(['disagreement']);
  expect(kindsOf(short, { actions })).toEqual([]);
  expect(kindsOf([], { actions })).toEqual(['disagreement']);
});

it('a cut from several peers counts for each of them, and restarts count by service', () => {
  const figures = hostFiguresOf({
    plan: hostSchedule({ seed: 7, minutes: 1 }),
    jobs: [],
    ledger: { creates: 0, struck: {} },
    findings: [],
    runs: 3,
    events: 12,
    injected: [
      { kind: 'cut', host: 'a', peers: ['temporal', 'bucket'], down: 1 },
      { kind: 'cut', host: 'b', peers: ['bucket'], down: 1 },
      { kind: 'kill', host: 'a', down: 1 },
      { kind: 'crash', service: 'database', down: 0 },
      { kind: 'restart', service: 'database', down: 0 },
      { kind: 'jump', host: 'b' },
    ],
  });
  expect(hostLineOf(figures)).toContain(
    ' · hosts killed 1 · stopped 0 · cuts (temporal 1, bucket 2, provider 0) · jumps 1 · restarts (temporal 0, database 2, bucket 0) · events streamed 12 · terminations 0 · runs 3 · ',
  );
});
