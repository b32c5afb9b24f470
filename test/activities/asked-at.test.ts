/** A clip's time counts from the first moment the provider could be asked, and the workflow hears of that moment. */
import { describe, expect, it } from 'vitest';
import type { CreateOutcome } from '../../src/adapters/replicate/replicate-client.js';
import type { Heartbeat } from '../../src/contract/activities.js';
import { FAILED_ONCE, NOTHING, paidActivity } from './paid-activity.js';
import { rendered } from './rendered.js';

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** Seconds that the provider is given, less the half minute by which its deadline outlives ours. */
const given = ({ requests }: ReturnType<typeof paidActivity>): number =>
  (requests[0]?.cancel_after ?? NaN) - 30;

describe('the deadline of a prediction', () => {
  it('is the whole time of the clip when no execution has asked before, however long it was queued', async () => {
    const world = paidActivity({});
    const queued = Date.now() - 3_600_000;
    await world.run(
      { since: ago(3_600), deadline: ago(2_700) },
      { scheduledTimestampMs: queued, currentAttemptScheduledTimestampMs: queued },
    );
    expect(given(world)).toBeGreaterThan(890);
    expect(given(world)).toBeLessThanOrEqual(900);
  });

  it.each([
    ['by the workflow with its input', { input: { asked_at: ago(100) } }],
    ['by the workflow when it is asked', { memory: { asked_at: ago(100) } }],
    ['by the execution before', { beat: { asked_at: ago(100) } }],
  ] as const)('is the rest of that time when the moment is told %s', async (_, told) => {
    const beat = { ...FAILED_ONCE, ...('beat' in told ? told.beat : {}) };
    const memory = 'memory' in told ? told.memory : {};
    const world = paidActivity({ memory: { ...NOTHING, failed_attempts: 1, ...memory } });
    const info = { attempt: 2, heartbeatDetails: beat };
    await world.run('input' in told ? told.input : {}, info);
    expect(given(world)).toBeGreaterThan(790);
    expect(given(world)).toBeLessThanOrEqual(800);
  });

  it('is that of the input for a job of an earlier release', async () => {
    const world = paidActivity({});
    const deadline = new Date(Date.now() + 60_000).toISOString();
    await world.run({ deadline, clip_timeout: undefined } as object);
    expect(given(world)).toBeLessThanOrEqual(60);
  });
});

describe('the workflow', () => {
  it('hears of the moment with the first signal, and gets no signal for it alone', async () => {
    const world = paidActivity({});
    await world.run({});
    expect(world.signals).toMatchObject([
      ['predictionCreated', { clip_index: 0, asked_at: expect.stringMatching(/Z$/) as string }],
    ]);
  });

  /** Answers when the workflow has been told. */
  const hung = () => {
    let answer: (outcome: CreateOutcome) => void = () => undefined;
    return paidActivity({
      create: () => new Promise((resolve) => (answer = resolve)),
      onSignal: (name) => {
        if (name === 'clipAsked') answer({ type: 'created', prediction: rendered('own') });
      },
    });
  };

  it('hears of it, once, from a create that does not answer', async () => {
    const world = hung();
    const result = await world.run({});
    expect(world.signals.map(([name]) => name)).toEqual(['clipAsked', 'predictionCreated']);
    expect(world.signals[0]?.[1]).toEqual({
      clip_index: 0,
      asked_at: world.signals[1]?.[1]['asked_at'],
      model: expect.any(String) as string,
    });
    expect(result).toMatchObject({ outcome: 'succeeded' });
  });
});

it('an execution whose create takes long beats meanwhile, so that its silence is not taken for death', async () => {
  let answer: (outcome: CreateOutcome) => void = () => undefined;
  const world = paidActivity({ create: () => new Promise((resolve) => (answer = resolve)) });
  const beats: Heartbeat[] = [];
  await world.run({}, { heartbeatTimeoutMs: 1_000, ...startedNow() }, (environment) => {
    environment.on('heartbeat', (beat: Heartbeat) => {
      beats.push(beat);
      answer({ type: 'created', prediction: rendered('own') });
    });
  });
  expect(beats[0]).toMatchObject({ phase: 'creating', prediction_id: null });
  expect(beats[1]).toMatchObject({ phase: 'rendering', prediction_id: 'own' });
});

function startedNow() {
  const now = Date.now();
  return { scheduledTimestampMs: now, currentAttemptScheduledTimestampMs: now };
}
