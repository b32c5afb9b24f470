/** The audit finds accepted requests without an effect, and effects without a request. */
import { describe, expect, it } from 'vitest';
import type { AnsweredRequest, SteeringRequest } from '../../chaos/evidence.js';
import { audit } from '../../chaos/audit.js';
import { NO_FAULTS } from '../../chaos/clip-faults.js';
import type { ClipFaults } from '../../chaos/clip-faults.js';
import type { Clip } from '../../src/domain/job/job.schema.js';
import {
  accepted,
  AT,
  begun,
  clip,
  ended,
  entry,
  failure,
  good,
  kindsOf,
  LATER,
  line,
  nextRound,
  refused,
  told,
} from './support.js';
import type { Fact, Parts } from './support.js';

const ledger = [entry('p1')];
const stored: [number, string][] = [[0, 'p1']];
const gone: Clip = clip(0, { status: 'canceled', error: failure('canceled') });
const warning = (message: string): Fact => ({ type: 'job.warning', message });

const flagged = clip(0, { status: 'failed', error: failure('flagged') });
const faults: ClipFaults[] = [{ ...NO_FAULTS, fails: ['flagged'] }];

/** Of a job whose only clip went well in the end. */
const wellWith = (answers: AnsweredRequest[], log: Fact[]): string[] =>
  kindsOf(ledger, [ended({ clips: [good], stored, faults, answers, log })]);

describe('a request that was accepted', () => {
  const ignored = 'was ignored';
  it.each<[SteeringRequest, Fact[], Fact]>([
    [
      { kind: 'pause', seconds: 1 },
      [{ type: 'job.paused' }],
      warning(`signal pause: expected a job that is not paused; it ${ignored}`),
    ],
    [
      { kind: 'resume' },
      [{ type: 'job.resumed' }],
      warning(`signal resume: expected a paused job; it ${ignored}`),
    ],
    [
      { kind: 'retry' },
      nextRound(flagged),
      warning(`signal retryClip: expected clip 0 to be failed or canceled; it ${ignored}`),
    ],
  ])('is in the log, or the log tells that it came too late: %j', (request, facts, late) => {
    expect(wellWith([accepted(request)], [begun()])).toEqual(['lost']);
    expect(wellWith([accepted(request)], [begun(), ...facts])).toEqual([]);
    expect(wellWith([accepted(request)], [begun(), late])).toEqual([]);
    // The second request, after an answer that was lost, may find its work done.
    expect(wellWith([refused(request, { sent: 2 })], [begun(), ...facts])).toEqual([]);
    expect(wellWith([refused(request)], [begun()])).toEqual([]);
  });

  it('raises the cap to the amount that was requested', () => {
    const raise: SteeringRequest = { kind: 'raise_cap', max_cost_usd: 2 };
    const said = (usd: number): Parts => ({
      clips: [good],
      stored,
      plan: { max_cost_usd: 1 },
      answers: [accepted(raise)],
      log: [begun(), { ...warning('the cap'), max_cost_usd: usd }],
      job: { max_cost_usd: usd },
    });
    expect(audit(ledger, [ended(said(2))])).toEqual([]);
    expect(kindsOf(ledger, [ended(said(3))]).sort()).toEqual(['disagreement', 'lost']);
  });

  it('is in the log only where it was requested', () => {
    const pauses: Fact[] = [{ type: 'job.paused' }, { type: 'job.resumed' }];
    const pause: SteeringRequest[] = [{ kind: 'pause', seconds: 1 }, { kind: 'resume' }];
    expect(wellWith([], pauses)).toEqual(['disagreement', 'disagreement']);
    expect(
      wellWith(
        pause.map((request) => refused(request)),
        pauses,
      ),
    ).toEqual(['disagreement', 'disagreement']);
    expect(
      wellWith(
        pause.map((request) => accepted(request)),
        pauses,
      ),
    ).toEqual([]);
  });
});

describe('a pause', () => {
  const answers = [accepted({ kind: 'pause', seconds: 1 }), accepted({ kind: 'resume' })];
  const starts = told('clip.started', good);

  it('starts no clip', () => {
    const paused: Fact[] = [begun(), { type: 'job.paused' }];
    expect(wellWith(answers, [...paused, starts, { type: 'job.resumed' }])).toEqual(['wrong_end']);
    expect(wellWith(answers, [...paused, { type: 'job.resumed' }, starts])).toEqual([]);
  });

  it('ends with its run', () => {
    const [failed, retrying] = nextRound(flagged) as [Fact, Fact];
    const log: Fact[] = [begun(), failed, { type: 'job.paused' }, begun('r2'), retrying, starts];
    expect(wellWith([...answers.slice(0, 1), accepted({ kind: 'retry' })], log)).toEqual([]);
  });
});

describe('a cancellation that was accepted', () => {
  const cancel: SteeringRequest = { kind: 'cancel' };
  const late = (type: Fact['type']): Fact => ({ ...told(type, good), at: LATER });

  it('ends the run that got it as canceled', () => {
    const log = [begun(), told('clip.started', good)];
    const after = [...log, late('clip.completed'), { type: 'job.completed' } as Fact];
    expect(wellWith([accepted(cancel)], after)).toEqual(['wrong_end']);
    const clips = [gone];
    const job = { status: 'canceled' as const, error: failure('canceled') };
    const canceled: Fact[] = [...log, told('clip.canceled', gone), { type: 'job.canceled' }];
    const parts: Parts = { clips, job, answers: [accepted(cancel)], log: canceled };
    expect(audit([], [ended(parts)])).toEqual([]);
    expect(kindsOf([], [ended({ ...parts, answers: [refused(cancel)] })])).toEqual([
      'wrong_end',
      'wrong_end',
    ]);
  });

  it('came too late for a job of which every clip was over', () => {
    const log: Fact[] = [begun(), told('clip.completed', good)];
    expect(wellWith([accepted(cancel)], [...log, { type: 'job.completed', at: LATER }])).toEqual(
      [],
    );
  });

  it('holds for its run alone: what is retried later may succeed', () => {
    const log: Fact[] = [begun(), told('clip.canceled', gone), { type: 'job.canceled' }];
    const later = Date.parse(LATER);
    const retry = accepted({ kind: 'retry' }, { asked_at: later, answered_at: later });
    const well = [
      begun('r2'),
      ...nextRound(gone).slice(1),
      late('clip.storing'),
      late('clip.completed'),
    ];
    expect(wellWith([accepted(cancel), retry], [...log, ...well])).toEqual([]);
    // The second run got it.
    const second = accepted(cancel, { run_id: 'r2', answered_at: later - 1, sent: 2 });
    expect(wellWith([second, retry], [...log, ...well])).toEqual(['wrong_end']);
    // Both at once: either run may have received it.
    const meanwhile = { ...retry, asked_at: second.asked_at };
    expect(wellWith([second, meanwhile], [...log, ...well])).toEqual([]);
  });

  it('lets nothing be stored that was not being stored already', () => {
    const log = (storing: Fact): Fact[] => [
      begun(),
      storing,
      late('clip.completed'),
      { type: 'job.canceled', at: LATER },
    ];
    const job = { status: 'canceled' as const, error: failure('canceled') };
    const parts: Parts = { clips: [good], stored, job, answers: [accepted(cancel)] };
    const early = ended({ ...parts, log: log(told('clip.storing', good)) });
    expect(audit(ledger, [early])).toEqual([]);
    const afterwards = ended({ ...parts, log: log(late('clip.storing')) });
    expect(kindsOf(ledger, [afterwards])).toEqual(['wrong_end']);
  });
});

describe('a cancellation of a clip that was accepted', () => {
  const cancel: SteeringRequest = { kind: 'cancel_clip', clip_index: 0 };
  const stores = (at: string): Fact[] => [
    begun(),
    { ...told('clip.storing', good), at },
    { ...told('clip.completed', good), at: LATER },
  ];

  it('ends it as canceled', () => {
    const parts: Parts = { clips: [gone], answers: [accepted(cancel)] };
    const log = [begun(), told('clip.canceled', gone)];
    expect(audit([], [ended({ ...parts, log })])).toEqual([]);
    const failed = [begun(), told('clip.failed', flagged)];
    const job = ended({ ...parts, clips: [flagged], faults, log: failed });
    expect(kindsOf([], [job])).toEqual(['wrong_end']);
  });

  it('may come too late for a render, or for the clip, and the log tells so', () => {
    const answers = [accepted(cancel)];
    expect(wellWith(answers, stores(AT))).toEqual([]);
    expect(wellWith(answers, stores(LATER))).toEqual(['wrong_end']);
    const message = 'signal cancelClip: expected clip 0 to be unfinished; it was ignored';
    expect(wellWith(answers, [...stores(LATER), warning(message)])).toEqual([]);
    const ofAnother = message.replace('clip 0', 'clip 1');
    expect(wellWith(answers, [...stores(LATER), warning(ofAnother)])).toEqual(['wrong_end']);
  });

  it('holds for its round alone', () => {
    const answers = [accepted(cancel), accepted({ kind: 'retry' })];
    const first = { ...gone, predictions: [line('p0', { status: 'canceled', cost_usd: 0 })] };
    const clips = [clip(0, { predictions: [...first.predictions, line('p1')] })];
    const log = [begun(), ...nextRound(first), ...stores(LATER).slice(1)];
    const ended0 = entry('p0', { status: 'canceled', usd: 0 });
    expect(audit([ended0, ...ledger], [ended({ clips, stored, answers, log })])).toEqual([]);
  });
});
