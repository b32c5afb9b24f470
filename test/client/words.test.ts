import { describe, expect, it } from 'vitest';
import { batchText, capital, failureWords, phaseText } from '../../src/client/words.js';
import { clipOf, doneClip, jobOf } from '../terminal/jobs.js';

describe('the words of a job', () => {
  it('name the batch that runs, or how many clips run at a time', () => {
    const job = jobOf([...Array(5).keys()].map(doneClip).concat(clipOf(5, { status: 'running' })));
    expect(batchText(job)).toBe('batch 2 of 2');
    expect(batchText({ ...job, dispatch: 'window' })).toBe('5 at a time');
    expect(batchText(jobOf([clipOf(0)]))).toBe('batch 1 of 1');
  });

  it('say why a queued clip waits, and what a running one does, by what was heard last', () => {
    const live = { job_id: 'harbour', clip_index: 0, attempt: 1, percent: null, estimated: false };
    const queued = clipOf(0, { waits_for: 'worker' });
    expect(phaseText(queued, undefined)).toBe('waiting for a worker');
    const limited = { ...live, phase: 'waiting_for_rate' } as const;
    expect(phaseText(queued, limited)).toBe("waiting for the provider's rate limit");
    const found = { ...live, phase: 'reconciling' } as const;
    expect(phaseText(clipOf(0, { status: 'running' }), found)).toBe('finding the prediction again');
    expect(phaseText(doneClip(0), found)).toBe('ready');
  });

  it('are there for what a newer API may answer', () => {
    const newer = { phase: 'dreaming' } as unknown as Parameters<typeof phaseText>[1];
    expect(phaseText(clipOf(0, { status: 'running' }), newer)).toBe('rendering');
    expect(capital(failureWords('of_tomorrow' as Parameters<typeof failureWords>[0]))).toMatch(
      /^[A-Z]/,
    );
  });
});
