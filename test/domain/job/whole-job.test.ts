/** A job assembled from pages of its clips while it continues. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyJob, initialClip } from '../../../src/domain/job/initial-job.js';
import type {
  Clip,
  Job,
  JobEvent,
  JobFact,
  Prediction,
} from '../../../src/domain/job/job.schema.js';
import { clipsOf } from '../../../src/domain/job/pages.js';
import { clipForEvent, record, withTotals } from '../../../src/domain/job/progress.js';
import type { ResolvedClip } from '../../../src/domain/plan/resolved.js';
import { wholeJob } from '../../../src/domain/job/whole-job.js';

const AT = '2030-01-01T00:00:00.000Z';
const CLIPS = 4;
const clips = Array.from({ length: CLIPS }, (_, clip_index) =>
  initialClip({ clip_index, prompt: 'a lighthouse', metadata: {} } as ResolvedClip),
);
const beginning: Job = withTotals({
  ...emptyJob({ job_id: 'a', run_id: 'r', created_at: AT, simulated: true }),
  status: 'running',
  clips,
});

/** What can happen to a clip between two answers. */
type Step = { index: number; what: 'line' | 'settled' | 'stored' | 'limited' };
const step: fc.Arbitrary<Step> = fc.record({
  index: fc.nat(CLIPS - 1),
  what: fc.constantFrom('line', 'line', 'line', 'settled', 'stored', 'limited'),
});

const CHANGES: Record<Exclude<Step['what'], 'limited'>, (clip: Clip) => Clip> = {
  line: (clip) => ({
    ...clip,
    status: 'running',
    predictions: [...clip.predictions, lineAfter(clip)],
  }),
  settled: (clip) => ({
    ...clip,
    status: 'retrying',
    predictions: clip.predictions.map((line, place) =>
      place === 0 ? { ...line, status: 'failed', cost_usd: line.attempt } : line,
    ),
  }),
  stored: (clip) => ({ ...clip, status: 'queued', waits_for: 'worker' }),
};
const lineAfter = ({ clip_index, predictions }: Clip): Prediction =>
  ({
    id: `${String(clip_index)}-${String(predictions.length)}`,
    attempt: predictions.length + 1,
    status: 'starting',
    cost_usd: null,
    billed: null,
  }) as Prediction;

class Workflow {
  job = beginning;
  readonly states = [beginning];
  readonly events: JobEvent[] = [];

  go({ index, what }: Step): void {
    const clip = this.job.clips[index];
    if (clip === undefined) throw new Error('expected a clip');
    const fact: JobFact =
      what === 'limited'
        ? { type: 'job.warning', message: 'slow', clip_index: index, waits_for: 'rate' }
        : {
            type: 'clip.submitted',
            clip_index: index,
            clip: clipForEvent(clip, CHANGES[what](clip)),
          };
    const { job, event } = record(this.job, fact, AT);
    this.job = job;
    this.states.push(job);
    this.events.push(event);
  }

  /** Two clips a page; between two answers the next steps happen. */
  answers(steps: Step[][]) {
    const goOn = <T>(answer: T): Promise<T> => {
      for (const one of steps.shift() ?? []) this.go(one);
      return Promise.resolve(answer);
    };
    return {
      progress: () => {
        const short = this.job.clips.map((clip) => ({ ...clip, prompt: '…', predictions: [] }));
        return goOn({ ...this.job, clips: short, truncated: { prompts: CLIPS } });
      },
      clips: (from: number) =>
        goOn({
          seq: this.job.seq,
          clips: this.job.clips.slice(from, from + 2),
          next: from + 2 < CLIPS ? from + 2 : null,
        }),
      events: (after: number) =>
        goOn({ events: this.events.slice(after, after + 3), last_seq: this.job.seq }),
    };
  }
}

describe('the whole job', () => {
  it('has the state of one moment, however much is recorded between its pages', async () => {
    const steps = fc.array(fc.array(step, { maxLength: 40 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), steps, async (before, between) => {
        const workflow = new Workflow();
        for (const one of before) workflow.go(one);
        const job = await wholeJob(workflow.answers(between));
        expect(job).toEqual(workflow.states[job.seq]);
      }),
    );
  });

  it('is the first answer where nothing is truncated', async () => {
    const refuse = () => Promise.reject(new Error('expected no further question'));
    const answer = { ...beginning };
    const told = await wholeJob({ progress: async () => answer, clips: refuse, events: refuse });
    expect(told).toBe(answer);
  });

  it('joins the ledger of a clip that spans several pages', () => {
    const lines = Array.from({ length: 5 }, (_, place) => ({ id: String(place) }) as Prediction);
    const [clip] = clips;
    if (clip === undefined) throw new Error('expected a clip');
    const pages = [
      { seq: 1, next: 1, clips: [{ ...clip, predictions: lines.slice(0, 2) }] },
      { seq: 1, next: null, clips: [{ ...clip, predictions: lines.slice(2) }] },
    ];
    expect(clipsOf(pages)).toEqual([{ ...clip, predictions: lines }]);
  });
});
