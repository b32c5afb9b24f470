/** The audit of a chaos run finds what it is there to find, and nothing in books that agree. */
import { describe, expect, it } from 'vitest';
import { audit } from '../../src/chaos/audit.js';
import type { Booked, Ended } from '../../src/chaos/evidence.js';
import type { Act } from '../../src/chaos/schedule.js';
import { FATAL, NONE } from '../../src/chaos/troubles.js';
import type { Trouble } from '../../src/chaos/troubles.js';
import type { FailureKind, Problem } from '../../src/domain/failures.js';
import type { Clip, Job, JobEvent, Prediction } from '../../src/domain/job.js';
import type { Plan } from '../../src/domain/plan.schema.js';

const AT = '2026-11-22T12:00:00.000Z';
const LATER = '2026-11-22T12:00:05.000Z';

const booked = (id: string, change: Partial<Booked> = {}): Booked => ({
  id,
  prompt: 'a heron',
  status: 'succeeded',
  billed: true,
  usd: 0.35,
  created_at: AT,
  completed_at: LATER,
  ...change,
});

const failure = (kind: FailureKind): Problem => ({ kind, message: 'why', retryable: false });

const line = (id: string, change: Partial<Prediction> = {}) =>
  ({ id, attempt: 1, status: 'succeeded', billed: true, cost_usd: 0.35, ...change }) as Prediction;

const clip = (clip_index: number, change: Partial<Clip>) =>
  ({ clip_index, status: 'succeeded', error: null, predictions: [], ...change }) as unknown as Clip;

interface Parts {
  clips: Clip[];
  stored?: [number, string][];
  troubles?: Trouble[];
  job?: Partial<Job>;
  plan?: Partial<Plan>;
  acts?: Act[];
  log?: Fact[];
}

/** An event apart from what every event has. */
type Fact = { type: JobEvent['type']; at?: string } & Record<string, unknown>;

const told = (type: JobEvent['type'], of: Clip): Fact => ({
  type,
  clip_index: of.clip_index,
  clip: of,
});

/** How the round before ended, and the retry that was taken after it. */
const again = (of: Clip): Fact[] => [
  told(of.status === 'failed' ? 'clip.failed' : 'clip.canceled', of),
  told('clip.retrying', { ...of, status: 'queued', attempt: 0, error: null }),
];

function ended(parts: Parts): Ended {
  const { clips, stored = [], troubles = [], job = {}, plan = {}, acts = [], log = [] } = parts;
  const good = clips.filter(({ status }) => status === 'succeeded').length;
  const lines = clips.flatMap(({ predictions }) => predictions);
  const total = lines.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
  return {
    scheduled: {
      at: 0,
      job_id: 'j',
      plan: {
        clip_prompts: clips.map(({ clip_index }) => ({
          clip_index,
          prompt: `prompt ${String(clip_index)}`,
          duration: 5,
        })),
        ...plan,
      },
      troubles: clips.map((_, index) => troubles[index] ?? NONE),
      acts: acts.map((act) => ({ at: 0, ...act })),
    },
    job: {
      job_id: 'j',
      status: good > 0 ? 'succeeded' : 'failed',
      error: good > 0 ? null : failure('insufficient_clips'),
      seq: log.length,
      batch_size: 5,
      max_cost_usd: plan.max_cost_usd ?? null,
      total_cost_usd: total,
      clips,
      ...job,
    } as Job,
    log: log.map((fact, n) => ({ at: AT, seq: n + 1, ...fact }) as unknown as JobEvent),
    stored: new Map(stored),
  };
}

const kindsOf = (books: Booked[], jobs: Ended[]): string[] =>
  audit(books, jobs).map(({ kind }) => kind);

const good = clip(0, { predictions: [line('p1')] });

describe('an audit', () => {
  it('finds nothing in books that agree', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(audit([booked('p1')], [job])).toEqual([]);
  });

  it('finds a prediction that no ledger has', () => {
    const job = ended({ clips: [good], stored: [[0, 'p1']] });
    expect(kindsOf([booked('p1'), booked('p2')], [job])).toEqual(['orphaned']);
  });

  it('finds an orphan whatever the faults of its clip', () => {
    const found = FATAL.map((trouble) => {
      const job = ended({ clips: [good], stored: [[0, 'p1']], troubles: [trouble] });
      const orphan = booked('p2', { prompt: 'prompt 0' });
      return kindsOf([booked('p1'), orphan], [job]);
    });
    expect(found).toEqual(FATAL.map(() => ['orphaned']));
  });

  it('finds a prediction that two clips share', () => {
    const clips = [good, clip(1, { predictions: [line('p1')] })];
    const job = ended({
      clips,
      stored: [
        [0, 'p1'],
        [1, 'p1'],
      ],
      job: { total_cost_usd: 0.35 },
    });
    expect(kindsOf([booked('p1')], [job])).toContain('double');
  });

  it('finds a clip with more predictions than its faults explain', () => {
    const clips = [clip(0, { predictions: [line('p1'), line('p2')] })];
    const job = ended({ clips, stored: [[0, 'p2']] });
    // Too many for the clip, too many for its attempt, and one of them was for nothing.
    expect(kindsOf([booked('p1'), booked('p2')], [job]).sort()).toEqual([
      'double',
      'double',
      'lost',
    ]);
  });

  it('finds a paid video that was thrown away', () => {
    const error = failure('timed_out');
    const clips = [clip(0, { status: 'failed', error, predictions: [line('p1')] })];
    const kinds = kindsOf([booked('p1')], [ended({ clips })]);
    expect(kinds.sort()).toEqual(['lost', 'wrong_end']);
  });

  it('accepts a failure that the faults of its clip explain', () => {
    const error = failure('flagged');
    const predictions = [line('p1', { status: 'failed' })];
    const job = ended({
      clips: [clip(0, { status: 'failed', error, predictions })],
      troubles: [{ tags: ['flagged'], again: 0, fails: ['flagged'] }],
    });
    expect(audit([booked('p1', { status: 'failed' })], [job])).toEqual([]);
  });

  it('finds spending above the cap, and sums that differ from the bills', () => {
    const job = ended({
      clips: [good],
      stored: [[0, 'p1']],
      plan: { max_cost_usd: 0.2 },
      job: { total_cost_usd: 0.1 },
    });
    expect(kindsOf([booked('p1')], [job])).toEqual(['overspent', 'disagreement']);
  });

  it('finds more predictions at once than a batch has', () => {
    const clips = [0, 1].map((index) => clip(index, { predictions: [line(`p${String(index)}`)] }));
    const stored: [number, string][] = [
      [0, 'p0'],
      [1, 'p1'],
    ];
    const job = ended({ clips, stored, job: { batch_size: 1 } });
    expect(kindsOf([booked('p0'), booked('p1')], [job])).toEqual(['overspent']);
  });

  it('finds what still runs, what never ended, and what the provider does not know', () => {
    const open = line('p1', { status: 'processing', billed: null, cost_usd: null });
    const job = ended({
      clips: [clip(0, { status: 'canceled', error: null, predictions: [open] })],
    });
    const alive = booked('p1', { status: 'processing', billed: false, usd: 0, completed_at: null });
    expect(kindsOf([alive], [job])).toContain('alive');
    expect(kindsOf([], [{ ...job, job: null }])).toEqual(['hung']);
    expect(kindsOf([], [ended({ clips: [good], stored: [[0, 'p1']] })])).toContain('disagreement');
  });
});

describe('an audit of rounds', () => {
  const canceled = (clip_index: number, kind: FailureKind, change: Partial<Clip> = {}): Clip =>
    clip(clip_index, { status: 'canceled', error: failure(kind), ...change });
  const twice = clip(0, { predictions: [line('p1'), line('p2')] });
  const stored: [number, string][] = [[0, 'p2']];
  const books = [booked('p1'), booked('p2')];

  it('takes no retry for one that was only planned, or refused', () => {
    const job = ended({ clips: [twice], stored, acts: [{ kind: 'retry' }] });
    expect(kindsOf(books, [job]).sort()).toEqual(['double', 'double', 'lost']);
  });

  it('allows a round its prediction when it was asked for, and the one before was canceled', () => {
    const first = canceled(0, 'canceled', { predictions: [line('p1')] });
    const parts: Parts = { clips: [twice], stored, log: again(first) };
    const acts: Act[] = [{ kind: 'cancel' }, { kind: 'retry' }];
    expect(audit(books, [ended({ ...parts, acts })])).toEqual([]);
    expect(kindsOf(books, [ended(parts)])).toEqual(['wrong_end']);
  });

  it('finds what an earlier round lost', () => {
    const first = clip(0, {
      status: 'failed',
      error: failure('timed_out'),
      predictions: [line('p1')],
    });
    const job = ended({ clips: [twice], stored, log: again(first), acts: [{ kind: 'retry' }] });
    expect(kindsOf(books, [job])).toEqual(['wrong_end', 'lost']);
  });

  it('gives a fault that strikes once one prediction, in whatever round or twin', () => {
    const thrice = [line('p0', { status: 'failed' }), line('p1', { attempt: 2 })];
    const second = [line('p2', { status: 'failed' }), line('p3', { attempt: 2 })];
    const first = canceled(0, 'canceled', { predictions: thrice });
    const job = ended({
      clips: [clip(0, { predictions: [...thrice, ...second] })],
      stored: [[0, 'p3']],
      log: again(first),
      acts: [{ kind: 'cancel' }, { kind: 'retry' }],
      troubles: [{ ...NONE, again: 1 }],
    });
    const failed = { status: 'failed' };
    const all = [booked('p0', failed), booked('p1'), booked('p2', failed), booked('p3')];
    expect(kindsOf(all, [job])).toEqual(['double']);
    const clips = [clip(0, { predictions: thrice }), clip(1, { predictions: second })];
    const twins = ended({
      clips,
      stored: [
        [0, 'p1'],
        [1, 'p3'],
      ],
      troubles: [
        { ...NONE, again: 1 },
        { ...NONE, again: 1 },
      ],
    });
    expect(kindsOf(all, [twins])).toEqual([]);
    for (const asked of twins.scheduled.plan.clip_prompts) asked.prompt = 'the same';
    expect(kindsOf(all, [twins])).toEqual(['double']);
  });

  it.each(['over_budget', 'unreachable', 'unauthorized', 'insufficient_credit'] as const)(
    'finds %s that nothing explains',
    (kind) => {
      const job = ended({ clips: [good, canceled(1, kind)], stored: [[0, 'p1']] });
      expect(kindsOf([booked('p1')], [job])).toEqual(['wrong_end']);
    },
  );

  it('accepts clips that were never started, for a reason that there is', () => {
    const halt = FATAL.find(({ tags }) => tags.includes('http-401'));
    const halted = ended({
      clips: [clip(0, { status: 'failed', error: failure('unauthorized') })],
      troubles: [halt ?? NONE],
    });
    const skipped = [
      ended({
        clips: [good, canceled(1, 'over_budget')],
        stored: [[0, 'p1']],
        plan: { max_cost_usd: 0.4 },
      }),
      ended({
        clips: [...(halted.job?.clips ?? []), canceled(1, 'unauthorized')],
        troubles: [halt ?? NONE],
      }),
      ended({
        clips: [
          clip(0, { status: 'failed', error: failure('flagged') }),
          canceled(1, 'unreachable'),
        ],
        troubles: [{ ...NONE, fails: ['flagged'] }],
        plan: { min_successful_clips: 2 },
      }),
    ];
    expect(audit([booked('p1')], skipped)).toEqual([]);
  });

  it('finds a clip that is called skipped after it was paid, whatever the cap', () => {
    const paid = canceled(1, 'over_budget', { predictions: [line('p2')] });
    const job = ended({ clips: [good, paid], stored: [[0, 'p1']], plan: { max_cost_usd: 1 } });
    expect(kindsOf(books, [job])).toEqual(['wrong_end', 'lost']);
  });

  it('finds a success that was lost behind a failure which explains none', () => {
    const clips = [
      clip(0, { status: 'failed', error: failure('flagged'), predictions: [line('p1')] }),
    ];
    const job = ended({ clips, troubles: [{ ...NONE, fails: ['flagged'] }] });
    expect(kindsOf([booked('p1')], [job])).toEqual(['lost']);
  });

  it('finds a prediction that was canceled, though its clip was not', () => {
    const gone = line('p1', { status: 'canceled' });
    const clips = [clip(0, { predictions: [gone, line('p2', { attempt: 2 })] })];
    const job = ended({ clips, stored, troubles: [{ ...NONE, again: 1 }] });
    expect(kindsOf([booked('p1', { status: 'canceled' }), booked('p2')], [job])).toEqual(['lost']);
  });

  it('finds a file that is not of the clip it is kept for', () => {
    const job = ended({
      clips: [good],
      stored: [[0, 'p9']],
      troubles: [{ ...NONE, spoils: true }],
    });
    expect(kindsOf([booked('p1')], [job])).toEqual(['lost']);
  });
});

describe('an audit of money', () => {
  const clips = [good, clip(1, { predictions: [line('p2')] })];
  const stored: [number, string][] = [
    [0, 'p1'],
    [1, 'p2'],
  ];
  const raise: Act = { kind: 'raise_cap', max_cost_usd: 1 };
  const raised: Parts = {
    clips,
    stored,
    plan: { max_cost_usd: 0.4 },
    acts: [raise],
    log: [{ type: 'job.warning', at: LATER, max_cost_usd: 1 }],
    job: { max_cost_usd: 1 },
  };

  it('holds what was begun under a cap against that cap, and the rest against the later one', () => {
    const early = [booked('p1'), booked('p2')];
    const late = [booked('p1'), booked('p2', { created_at: LATER, completed_at: LATER })];
    expect(kindsOf(early, [ended(raised)])).toEqual(['overspent']);
    expect(kindsOf(late, [ended(raised)])).toEqual([]);
  });

  it('finds a cap that nobody set, and one that was forgotten', () => {
    const books = [booked('p1'), booked('p2', { created_at: LATER })];
    expect(kindsOf(books, [ended({ ...raised, acts: [] })])).toEqual(['disagreement']);
    const forgotten = ended({ ...raised, log: [], job: { max_cost_usd: null } });
    expect(kindsOf(books, [forgotten])).toEqual(['disagreement', 'overspent']);
  });
});

describe('an audit of whole jobs', () => {
  const stored: [number, string][] = [[0, 'p1']];

  it('finds clips of the plan that the job does not have', () => {
    const job = ended({ clips: [] });
    job.scheduled.plan.clip_prompts.push({ clip_index: 0, prompt: 'a heron', duration: 5 });
    expect(kindsOf([], [job])).toEqual(['lost']);
  });

  it('finds an end that its clips do not make', () => {
    const ends: Partial<Job>[] = [
      { status: 'failed', error: failure('insufficient_clips') },
      { status: 'canceled', error: failure('canceled') },
    ];
    for (const job of ends) {
      expect(kindsOf([booked('p1')], [ended({ clips: [good], stored, job })])).toEqual([
        'wrong_end',
      ]);
    }
    const few = ended({ clips: [good], stored, plan: { min_successful_clips: 2 } });
    expect(kindsOf([booked('p1')], [few])).toEqual(['wrong_end']);
  });

  it('finds a log with a gap', () => {
    const job = ended({ clips: [good], stored, job: { seq: 1 } });
    expect(kindsOf([booked('p1')], [job])).toEqual(['disagreement']);
  });

  it('finds a clip that was started although the job had been halted', () => {
    const refused = clip(1, { status: 'failed', error: failure('unauthorized') });
    const halt: Trouble = { ...NONE, fails: ['unauthorized'], halts: true };
    const parts: Parts = { clips: [good, refused], stored, troubles: [NONE, halt] };
    const before = [told('clip.started', good), told('clip.failed', refused)];
    expect(kindsOf([booked('p1')], [ended({ ...parts, log: before })])).toEqual([]);
    const after = ended({ ...parts, log: before.toReversed() });
    expect(kindsOf([booked('p1')], [after])).toEqual(['wrong_end']);
  });
});
