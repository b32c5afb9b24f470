/** The audit judges every round of a clip by itself, and knows what requested it. */
import { describe, expect, it } from 'vitest';
import { audit } from '../../chaos/audit.js';
import type { SteeringRequest } from '../../chaos/evidence.js';
import { FATAL, NO_FAULTS } from '../../chaos/clip-faults.js';
import { FAILURES, ruleOf } from '../../src/domain/job/failures.js';
import type { FailureKind } from '../../src/domain/job/failures.js';
import type { Clip, Prediction } from '../../src/domain/job/job.schema.js';
import {
  accepted,
  begun,
  clip,
  ended,
  entry,
  failure,
  good,
  kindsOf,
  line,
  nextRound,
  refused,
  told,
} from './support.js';
import type { Fact, Parts } from './support.js';

describe('an audit of rounds', () => {
  const canceled = (clip_index: number, kind: FailureKind, change: Partial<Clip> = {}): Clip =>
    clip(clip_index, { status: 'canceled', error: failure(kind), ...change });
  const twice = clip(0, { predictions: [line('p1'), line('p2')] });
  const stored: [number, string][] = [[0, 'p2']];
  const ledger = [entry('p1'), entry('p2')];
  const cancel: SteeringRequest = { kind: 'cancel_clip', clip_index: 0 };
  const retry: SteeringRequest = { kind: 'retry' };

  it('takes no retry for one that was only planned, or refused', () => {
    const job = ended({ clips: [twice], stored, answers: [refused(retry)] });
    expect(kindsOf(ledger, [job]).sort()).toEqual(['double', 'double', 'lost']);
  });

  it('allows a round its prediction when it was asked for, and the one before was canceled', () => {
    const first = canceled(0, 'canceled', { predictions: [line('p1')] });
    const parts: Parts = { clips: [twice], stored, log: nextRound(first) };
    const answers = [accepted(cancel), accepted(retry)];
    expect(audit(ledger, [ended({ ...parts, answers })])).toEqual([]);
    expect(kindsOf(ledger, [ended({ ...parts, answers: [accepted(retry)] })])).toEqual([
      'wrong_end',
    ]);
  });

  it('finds a round that was not requested, though its log tells it', () => {
    const first = canceled(0, 'canceled', { predictions: [line('p1')] });
    const kinds = [[], [refused(retry)]].map((answers) => {
      const parts: Parts = { clips: [twice], stored, log: nextRound(first) };
      return kindsOf(ledger, [ended({ ...parts, answers: [accepted(cancel), ...answers] })]);
    });
    expect(kinds).toEqual([['double'], ['double']]);
  });

  it('counts every request for a retry that may have been carried out, answered or not', () => {
    const first = canceled(0, 'canceled', { predictions: [line('p1')] });
    const second = canceled(0, 'canceled', { predictions: [line('p1'), line('p2')] });
    const log = [...nextRound(first), ...nextRound(second)];
    const third = clip(0, { predictions: [line('p1'), line('p2'), line('p3')] });
    const kinds = [1, 2].map((sent) => {
      const answers = [accepted(cancel, { sent: 2 }), accepted(retry, { sent })];
      const job = ended({ clips: [third], stored: [[0, 'p3']], log, answers });
      return kindsOf([...ledger, entry('p3')], [job]);
    });
    expect(kinds).toEqual([['double'], []]);
    const lost = [accepted(cancel), refused(retry, { sent: 2 })];
    const job = ended({ clips: [twice], stored, log: nextRound(first), answers: lost });
    expect(kindsOf(ledger, [job])).toEqual([]);
  });

  it('lets one request take a clip up twice when its run closed meanwhile, and nothing was paid', () => {
    const failed = (...predictions: Prediction[]): Clip =>
      clip(0, { status: 'failed', error: failure('flagged'), predictions });
    const parts = (second: Clip, ...run: Fact[]): Parts => ({
      clips: [clip(0, { predictions: [...second.predictions, line('p2')] })],
      stored,
      answers: [accepted(retry), accepted(cancel)],
      faults: [{ ...NO_FAULTS, fails: ['flagged'] }],
      log: [
        begun(),
        ...nextRound(canceled(0, 'canceled')),
        ...nextRound(second).toSpliced(1, 0, ...run),
      ],
    });
    expect(kindsOf([entry('p2')], [ended(parts(failed(), begun('r2')))])).toEqual([]);
    expect(kindsOf([entry('p2')], [ended(parts(failed()))])).toEqual(['double']);
    const paid = failed(line('p1', { status: 'failed', cost_usd: 0 }));
    const both = [entry('p1', { status: 'failed', usd: 0 }), entry('p2')];
    expect(kindsOf(both, [ended(parts(paid, begun('r2')))])).toEqual(['double']);
  });

  it('takes no cancellation for one that was refused, nor two for one that was requested', () => {
    const gone = canceled(0, 'canceled');
    const ends = [told('clip.canceled', gone)];
    const kinds = [[refused(cancel)], [refused(cancel, { sent: 2 })], [accepted(cancel)]].map(
      (answers) => kindsOf([], [ended({ clips: [gone], log: ends, answers })]),
    );
    expect(kinds).toEqual([['wrong_end'], [], []]);
    const log = [...nextRound(gone), ...ends];
    const answers = [accepted(cancel), accepted(retry)];
    const twiceGone = ended({ clips: [gone], log, answers });
    expect(kindsOf([], [twiceGone])).toEqual(['wrong_end', 'wrong_end']);
  });

  it('finds what an earlier round lost', () => {
    const first = clip(0, {
      status: 'failed',
      error: failure('timed_out'),
      predictions: [line('p1')],
    });
    const answers = [accepted(retry)];
    const job = ended({ clips: [twice], stored, log: nextRound(first), answers });
    expect(kindsOf(ledger, [job])).toEqual(['wrong_end', 'lost']);
  });

  it('allows a fault that is injected once one prediction, over all rounds and duplicates', () => {
    const thrice = [line('p0', { status: 'failed' }), line('p1', { attempt: 2 })];
    const second = [line('p2', { status: 'failed' }), line('p3', { attempt: 2 })];
    const first = canceled(0, 'canceled', { predictions: thrice });
    const job = ended({
      clips: [clip(0, { predictions: [...thrice, ...second] })],
      stored: [[0, 'p3']],
      log: nextRound(first),
      answers: [accepted(cancel), accepted(retry)],
      faults: [{ ...NO_FAULTS, extra: 1 }],
    });
    const failed = { status: 'failed' };
    const all = [entry('p0', failed), entry('p1'), entry('p2', failed), entry('p3')];
    expect(kindsOf(all, [job])).toEqual(['double']);
    const clips = [clip(0, { predictions: thrice }), clip(1, { predictions: second })];
    const duplicates = ended({
      clips,
      stored: [
        [0, 'p1'],
        [1, 'p3'],
      ],
      faults: [
        { ...NO_FAULTS, extra: 1 },
        { ...NO_FAULTS, extra: 1 },
      ],
    });
    expect(kindsOf(all, [duplicates])).toEqual([]);
    for (const asked of duplicates.scheduled.plan.clip_prompts) asked.prompt = 'the same';
    expect(kindsOf(all, [duplicates])).toEqual(['double']);
  });

  const halting = (Object.keys(FAILURES) as FailureKind[]).filter((kind) => ruleOf(kind).halts);

  it.each<FailureKind>(['over_budget', 'unreachable', ...halting])(
    'finds %s that nothing explains',
    (kind) => {
      const job = ended({ clips: [good, canceled(1, kind)], stored: [[0, 'p1']] });
      expect(kindsOf([entry('p1')], [job])).toEqual(['wrong_end']);
    },
  );

  it('accepts clips that were never started, for a reason that there is', () => {
    const halt = FATAL.find(({ tags }) => tags.includes('http-401'));
    const halted = ended({
      clips: [clip(0, { status: 'failed', error: failure('unauthorized') })],
      faults: [halt ?? NO_FAULTS],
    });
    const skipped = [
      ended({
        clips: [good, canceled(1, 'over_budget')],
        stored: [[0, 'p1']],
        plan: { max_cost_usd: 0.4 },
      }),
      ended({
        clips: [...(halted.job?.clips ?? []), canceled(1, 'unauthorized')],
        faults: [halt ?? NO_FAULTS],
      }),
      ended({
        clips: [
          clip(0, { status: 'failed', error: failure('flagged') }),
          canceled(1, 'unreachable'),
        ],
        faults: [{ ...NO_FAULTS, fails: ['flagged'] }],
        plan: { min_successful_clips: 2 },
      }),
    ];
    expect(audit([entry('p1')], skipped)).toEqual([]);
  });

  it.each(halting)('accepts clips that were not started because %s halted the job', (kind) => {
    const faults = [{ ...NO_FAULTS, halts: true as const, fails: [kind] }];
    const clips = [clip(0, { status: 'failed', error: failure(kind) }), canceled(1, kind)];
    expect(audit([], [ended({ clips, faults })])).toEqual([]);
  });

  it('finds a clip that is called skipped after it was paid, with any cap', () => {
    const paid = canceled(1, 'over_budget', { predictions: [line('p2')] });
    const job = ended({ clips: [good, paid], stored: [[0, 'p1']], plan: { max_cost_usd: 1 } });
    expect(kindsOf(ledger, [job])).toEqual(['wrong_end', 'lost']);
  });

  it('finds a success that was lost behind a failure which explains none', () => {
    const clips = [
      clip(0, { status: 'failed', error: failure('flagged'), predictions: [line('p1')] }),
    ];
    const job = ended({ clips, faults: [{ ...NO_FAULTS, fails: ['flagged'] }] });
    expect(kindsOf([entry('p1')], [job])).toEqual(['lost']);
  });

  it('finds a prediction that was canceled, though its clip was not', () => {
    const gone = line('p1', { status: 'canceled' });
    const clips = [clip(0, { predictions: [gone, line('p2', { attempt: 2 })] })];
    const job = ended({ clips, stored, faults: [{ ...NO_FAULTS, extra: 1 }] });
    expect(kindsOf([entry('p1', { status: 'canceled' }), entry('p2')], [job])).toEqual(['lost']);
  });

  it('finds a file that is not of the clip it is kept for', () => {
    const job = ended({
      clips: [good],
      stored: [[0, 'p9']],
      faults: [{ ...NO_FAULTS, spoils: true }],
    });
    expect(kindsOf([entry('p1')], [job])).toEqual(['lost']);
  });
});
