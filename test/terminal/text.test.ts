import { describe, expect, it } from 'vitest';
import { estimateOf } from '../../src/domain/pricing/estimate.js';
import { problem } from '../../src/domain/job/failures.js';
import { EVENT_TYPES } from '../../src/domain/job/progress.js';
import type { Clip } from '../../src/domain/job/job.schema.js';
import { estimateText, ranges } from '../../src/terminal/estimate-text.js';
import { finalTable } from '../../src/terminal/final-table.js';
import { jsonReporter, plainReporter } from '../../src/terminal/reporters.js';
import { openView } from '../../src/terminal/view.js';
import { sentenceOf } from '../../src/terminal/sentences.js';
import { PassThrough } from 'node:stream';
import { clipOf, doneClip, eventOf, jobOf, UNKNOWN_LINE } from './jobs.js';
import { accepted, CONTEXT } from '../support/checked-plans.js';

const PLACE = { page_url: 'http://127.0.0.1:3000/jobs/harbour', ui_url: null, out: 'out' };

const EVENTS = EVENT_TYPES.map((type, index) =>
  eventOf(index + 1, {
    type,
    clip_index: 0,
    clip: clipOf(0, { attempt: 1, error: problem('flagged', 'no\u001b[2J') }),
    batch: 1,
    batches: 3,
    clip_indexes: [0, 1],
    total_clips: 12,
    model: 'a/b',
    estimated_cost_usd: null,
    total_cost_usd: 1,
    error: problem('insufficient_clips', 'only 1 of 3'),
  }),
);

const outputs = () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  return {
    stdout,
    stderr,
    out: () => writtenTo(stdout),
    err: () => writtenTo(stderr),
  };
};

/** From Node 26 on, a read returns one write and not all of them. */
function writtenTo(stream: PassThrough): string {
  const chunks: Buffer[] = [];
  for (let chunk: unknown; (chunk = stream.read()) !== null;) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('an event without a terminal', () => {
  it('is one plain line, of every type', () => {
    const streams = outputs();
    const reporter = plainReporter(streams);
    const view = openView(jobOf([clipOf(0)]), PLACE);
    for (const event of EVENTS) reporter.changed(view, { kind: 'event', event });
    const lines = streams.out().trimEnd().split('\n');
    expect(lines).toHaveLength(EVENTS.length);
    for (const line of lines) expect(line).toMatch(/^10:00:00 {3}0 % \S/);
    expect(new Set(EVENTS.map(sentenceOf)).size).toBe(EVENTS.length);
  });

  it('is one line of JSON for programs, and stdout holds nothing else', () => {
    const streams = outputs();
    const reporter = jsonReporter(streams);
    const view = openView(jobOf([clipOf(0)]), PLACE);
    reporter.say('Starting');
    reporter.opened(view);
    reporter.changed(view, { kind: 'connected' });
    reporter.changed(view, null);
    for (const event of EVENTS) reporter.changed(view, { kind: 'event', event });
    reporter.ended(view, { out: 'out', files: new Map() });
    const lines = streams.out().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(EVENTS);
    expect(streams.err()).toContain('Starting');
  });
});

describe('the final table', () => {
  it('has a row a clip with its file or its reason, the totals, and where the files are', () => {
    const job = jobOf(
      [
        doneClip(0),
        clipOf(1, { status: 'failed', attempt: 3, error: problem('no_output', 'null output') }),
      ],
      { status: 'failed', error: problem('insufficient_clips', 'only 1 of 2 clips succeeded.') },
    );
    const text = finalTable(job, { out: 'out/harbour', files: new Map([[0, 'clip_000.mp4']]) });
    expect(text.find((line) => line.includes('clip_000.mp4'))).toContain('5.04 s of 5 s');
    expect(text.find((line) => line.includes('the model returned no video'))).toContain('failed');
    expect(text.join('\n')).toContain('only 1 of 2 clips succeeded. Retry the failed clips.');
    expect(text.at(-1)).toBe('1 clip, thumbnails and result.json are in out/harbour/');
  });
});

describe('a cost that is not known', () => {
  const unknown = (cost_usd: number | null, more: Partial<Clip> = {}): Clip => ({
    ...doneClip(0),
    cost_usd,
    predictions: [UNKNOWN_LINE],
    ...more,
  });

  it('is told as unknown, and a sum with one as the least it can be, never as a figure alone', () => {
    const job = jobOf([unknown(null), unknown(0.35, { clip_index: 1 }), doneClip(2)]);
    const text = finalTable(job, { out: 'out', files: new Map() });
    expect(text[1]).toContain('unknown');
    expect(text[1]).not.toContain('$');
    expect(text[2]).toContain('at least $0.35');
    expect(text[3]).not.toContain('at least');
    expect(text.join('\n')).toContain('at least $0.70 of estimated');
    expect(text.join('\n')).toContain('The cost of 2 predictions is not known');
  });

  it('is told in the events as they come', () => {
    const done = (clip: Clip) =>
      sentenceOf(eventOf(1, { type: 'clip.completed', clip_index: 0, clip }));
    expect(done(unknown(null))).toMatch(/, cost unknown$/);
    expect(done(unknown(0.35))).toMatch(/, at least \$0\.35$/);
    const end = { type: 'job.completed', error: null, total_cost_usd: 0 };
    expect(sentenceOf(eventOf(2, { ...end, unknown_costs: 1 }))).toBe(
      'job succeeded, at least $0.00',
    );
    expect(sentenceOf(eventOf(2, end))).toBe('job succeeded, $0.00');
  });
});

describe('the answer of a dry run', () => {
  it('says per clip what is asked, why and for how much, and that nothing was started', () => {
    const checked = accepted({
      clip_prompts: [5, 5.1, 12].map((duration, clip_index) => ({
        clip_index,
        prompt: 'x',
        duration,
      })),
    });
    const text = estimateText(estimateOf(checked.resolved));
    expect(text.find((line) => /^ +1 /.test(line))).toMatch(
      /5\.1 s +10 s +maximum +\$0\.70 +100 %/,
    );
    expect(text.find((line) => line.startsWith('Warning'))).toBeDefined();
    expect(text.at(-1)).toBe('Nothing was started and nothing was paid.');
  });

  it('names clips by ranges', () => {
    expect(ranges([0, 1, 2, 5, 7, 8])).toBe('0–2, 5, 7–8');
  });
});

describe('drafts and models that take over', () => {
  const PLAN = {
    model: 'bytedance/seedance-1-pro',
    fallback_models: ['prunaai/p-video'],
    quality: 'draft',
    clip_prompts: [{ clip_index: 0, prompt: 'a heron', duration: 4 }],
  };

  it('stand in the estimate with their prices', () => {
    const checked = accepted(PLAN, { ...CONTEXT, duration_buffer: 1 });
    const text = estimateText(estimateOf(checked.resolved)).join('\n');
    expect(text).toContain('As drafts $0.12, as finals $0.60');
    expect(text).toMatch(/If prunaai\/p-video has to take over all of it: \$0\.02/);
  });

  it('are told at the end, with what makes the finals, and while it happens', () => {
    const draft = { ...jobOf([doneClip(0)]), quality: 'draft' as const, final_cost_usd: 0.6 };
    const table = finalTable({ ...draft, successful_clips: 1 }, { out: 'out', files: new Map() });
    expect(table.join('\n')).toContain(
      `These are drafts. Their finals, about $0.60 for all: npm run generate -- --final ${draft.job_id}`,
    );
    const retrying = eventOf(1, {
      type: 'clip.retrying',
      clip_index: 0,
      clip: clipOf(0, { model: 'a/b', error: problem('provider_error', 'said') }),
    });
    expect(sentenceOf(retrying)).toContain('clip 0 will be tried again on a/b');
  });
});
