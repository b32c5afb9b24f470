import { describe, expect, it } from 'vitest';
import { problem } from '../../src/domain/job/failures.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { widthOf } from '../../src/terminal/format.js';
import { frame, shownPercent } from '../../src/terminal/frame.js';
import type { Size } from '../../src/terminal/frame.js';
import { plainText } from '../../src/terminal/span.js';
import { openView, seen } from '../../src/terminal/view.js';
import type { View } from '../../src/terminal/view.js';
import { AT, clipOf, doneClip, eventOf, jobOf, UNKNOWN_LINE } from './jobs.js';

const PLACE = {
  page_url: 'http://127.0.0.1:3000/jobs/harbour',
  ui_url: 'http://127.0.0.1:8233/x',
  out: 'out',
};
const NOW = Date.parse(AT) + 65_000;
const WIDE: Size = { columns: 200, rows: 40 };

const viewOf = (job: Job, more: Partial<View> = {}): View => ({ ...openView(job, PLACE), ...more });
const draw = (view: View, size: Size = WIDE): string[] => frame(view, size, NOW).map(plainText);

const many = (count: number): Job =>
  jobOf(
    Array.from({ length: count }, (_, index) =>
      index < 5
        ? doneClip(index)
        : clipOf(index, index < 9 ? { status: 'running', attempt: 1 } : {}),
    ),
  );

describe('a frame', () => {
  it('says which job it is, where its page is, and how far it came', () => {
    const text = draw(viewOf(many(12))).join('\n');
    expect(text).toContain('harbour  kwaivgi/kling-v2.5-turbo-pro  running');
    expect(text).toContain(PLACE.page_url);
    expect(text).toContain(PLACE.ui_url);
    expect(text).toContain('batch 2 of 3 · 5 of 12 done · needs 3 · $1.75 of about $4.20 · 1:05');
  });

  it('says on every picture that it is the simulator, and never otherwise', () => {
    expect(draw(viewOf(jobOf([clipOf(0)], { simulated: true })))[0]).toContain('SIMULATOR');
    expect(draw(viewOf(jobOf([clipOf(0)]))).join('\n')).not.toContain('SIMULATOR');
  });

  it('says that a cost is not known, and calls a sum with one the least it can be', () => {
    const unknown = { ...doneClip(0), cost_usd: null, predictions: [UNKNOWN_LINE] };
    const part = { ...doneClip(1), predictions: [UNKNOWN_LINE] };
    const text = draw(viewOf(jobOf([unknown, part])));
    expect(text.join('\n')).toContain('at least $0.35 of about $0.70');
    expect(text.find((line) => line.startsWith('  0'))).toContain('cost unknown');
    expect(text.find((line) => line.startsWith('  1'))).toContain('at least $0.35');
  });

  it('counts down to the next try, with the attempt and the last error in plain words', () => {
    const clip = clipOf(1, {
      status: 'retrying',
      attempt: 2,
      next_attempt_at: new Date(NOW + 4_000).toISOString(),
      error: problem('provider_error', 'Prediction interrupted (PA)'),
    });
    const line = draw(viewOf(jobOf([clip]))).find((text) => text.includes('retry'));
    expect(line).toContain('waiting to retry');
    expect(line).toContain('resumes in 4 s');
    expect(line).toContain('attempt 2 of 3');
    expect(line).toContain('the provider had a problem (Prediction interrupted (PA))');
  });

  it('shows what was asked and what came', () => {
    expect(draw(viewOf(jobOf([doneClip(0)]))).join('\n')).toContain(
      'ready            5.04 s of 5 s · $0.35',
    );
  });

  it.each([
    { columns: 120, rows: 40, clips: 12 },
    { columns: 80, rows: 24, clips: 12 },
    { columns: 40, rows: 10, clips: 12 },
    { columns: 20, rows: 5, clips: 3 },
    { columns: 100, rows: 24, clips: 1_000 },
    { columns: 1, rows: 2, clips: 12 },
  ])('fits into $columns × $rows with $clips clips', ({ columns, rows, clips }) => {
    const job = many(clips);
    const lines = draw(
      viewOf({ ...job, warnings: ['長い'.repeat(60)] }, { notice: 'A question?' }),
      {
        columns,
        rows,
      },
    );
    expect(lines.length).toBeLessThan(rows);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  it('shows the clips under way and counts the rest where there are more clips than rows', () => {
    const lines = draw(viewOf(many(1_000)), { columns: 100, rows: 16 });
    const clips = lines.filter((line) => /^ +\d+ [█▏▎▍▌▋▊▉░]/.test(line));
    expect(clips.map((line) => Number(line.trim().split(' ')[0]))).toEqual(
      expect.arrayContaining([5, 6, 7, 8]),
    );
    const rest = lines.find((line) => line.includes('more clips'));
    expect(rest).toContain(`and ${String(1_000 - clips.length)} more clips`);
    expect(rest).toContain('5 ready');
  });

  it('keeps control characters of prompts and providers off the terminal', () => {
    const clip = clipOf(0, {
      status: 'failed',
      attempt: 1,
      error: problem('flagged', 'bad\u001b[2J\u001b]0;title\u0007\r\nnews'),
    });
    const text = draw(viewOf(jobOf([clip], { warnings: ['be\u001b[31mware\u0000'] }))).join('\n');
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f]/);
    expect(text).toContain('bad news');
  });

  it('says that the connection is lost, and that the job continues', () => {
    const view = seen(viewOf(many(3)), { kind: 'lost', reason: 'connect ECONNREFUSED' });
    expect(draw(view).join('\n')).toContain('Connection lost (connect ECONNREFUSED)');
    expect(draw(seen(view, { kind: 'connected' })).join('\n')).not.toContain('Connection lost');
  });

  it('says what queued clips wait for, by what was heard last', () => {
    const clips = [
      clipOf(0, { waits_for: 'rate', started_at: AT }),
      clipOf(1, { waits_for: 'worker', started_at: AT }),
      clipOf(2, { waits_for: 'worker', started_at: AT }),
      clipOf(3),
    ];
    const live = { job_id: 'harbour', clip_index: 1, attempt: 1, percent: null, estimated: false };
    const view = seen(viewOf(jobOf(clips)), {
      kind: 'progress',
      progress: { ...live, phase: 'waiting_for_rate' },
    });
    const sent = seen(view, {
      kind: 'progress',
      progress: { ...live, clip_index: 2, phase: 'creating' },
    });
    const lines = draw(sent);
    const line = (index: number) => lines.find((text) => text.startsWith(`  ${String(index)} `));
    expect(line(0)).toContain("waiting for the provider's rate limit");
    expect(line(1)).toContain("waiting for the provider's rate limit");
    expect(line(2)).toContain('sending to the model');
    expect(line(2)).not.toContain('waiting');
    expect(line(3)).toContain('waiting for its turn');
    expect(draw(viewOf(jobOf(clips))).join('\n')).toContain('waiting for a worker');
  });

  it('counts the warnings that the job no longer lists', () => {
    const job = jobOf([clipOf(0)], { warnings: ['slow', 'slower'], warnings_total: 952 });
    expect(draw(viewOf(job)).join('\n')).toContain('Warning: slower (… and 950 earlier warnings)');
  });

  it('says that no worker is running when only Temporal answers', () => {
    const progress = {
      job_id: 'harbour',
      clip_index: 5,
      attempt: 1,
      percent: null,
      phase: 'waiting_for_worker',
      estimated: false,
      stale: true,
    } as const;
    const text = draw(seen(viewOf(many(12)), { kind: 'progress', progress })).join('\n');
    expect(text).toContain('No worker is running; the job is safe');
    expect(text).toContain('waiting for a worker');
  });
});

describe('a view', () => {
  const progress = {
    job_id: 'harbour',
    clip_index: 0,
    attempt: 1,
    percent: 60,
    phase: 'rendering',
    estimated: false,
  } as const;

  it("forgets what a clip was doing at the clip's next event", () => {
    const rendering = clipOf(0, { status: 'running', attempt: 1, percent: 10 });
    const before = seen(viewOf(jobOf([rendering])), { kind: 'progress', progress });
    expect(before.live.get(0)).toEqual(progress);
    const event = eventOf(1, { type: 'clip.completed', clip_index: 0, clip: doneClip(0) });
    const after = seen(before, { kind: 'event', event });
    expect(after.live.size).toBe(0);
    expect(after.job.successful_clips).toBe(1);
  });

  it('moves the bar between the durable figures by what the provider reports', () => {
    const clip = clipOf(0, { status: 'running', percent: 10 });
    const live = { ...progress, percent: 50 };
    expect(shownPercent(clip, live)).toBe(50);
    expect(shownPercent(clip, undefined)).toBe(10);
    expect(shownPercent({ ...clip, status: 'storing', percent: 90 }, live)).toBe(90);
  });
});
