/** What a workflow publishes of itself for lists, and how often. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { initialJob } from '../../src/domain/job/initial-job.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { VisibilityPublisher } from '../../src/workflows/publish-visibility.js';
import { accepted } from '../support/checked-plans.js';
import { planWith } from '../support/plans.js';

const world = vi.hoisted(() => ({
  memos: [] as Record<string, unknown>[],
  attributes: [] as { key: { name: string }; value: unknown }[][],
  hasAttributes: true,
}));
vi.mock('@temporalio/workflow', () => ({
  upsertMemo: (memo: Record<string, unknown>) => world.memos.push(memo),
  upsertSearchAttributes: (pairs: (typeof world.attributes)[number]) =>
    world.attributes.push(pairs),
  workflowInfo: () => ({
    typedSearchAttributes: { get: () => (world.hasAttributes ? 'queued' : undefined) },
  }),
}));

const identity = { job_id: 'a', run_id: 'run', created_at: '', simulated: true };
const job: Job = { ...initialJob(accepted(planWith(4)).resolved, identity), status: 'running' };
const at = (percent: number, more: Partial<Job> = {}): Job => ({ ...job, percent, ...more });

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01') });
  Object.assign(world, { memos: [], attributes: [], hasAttributes: true });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what lists show of a job', () => {
  it('is told at most every five seconds, after ten changes, however much happens', () => {
    const publisher = new VisibilityPublisher();
    for (let second = 0; second < 600; second += 1) {
      for (let part = 0; part < 10; part += 1) publisher.publish(at(second + part / 10));
      vi.advanceTimersByTime(1_000);
    }
    expect(world.memos.length).toBeGreaterThan(100);
    expect(world.memos.length).toBeLessThanOrEqual(10 + 600 / 5);
  });

  it('is told at once when little happens, and not when nothing does that a list shows', () => {
    const publisher = new VisibilityPublisher();
    for (const percent of [10, 20, 30]) publisher.publish(at(percent));
    for (let seq = 0; seq < 100; seq += 1) publisher.publish(at(30, { seq, warnings_total: seq }));
    expect(world.memos.map(({ job: told }) => (told as Job).percent)).toEqual([10, 20, 30]);
  });

  it('has every change of state, and the end, whenever they come', () => {
    const publisher = new VisibilityPublisher();
    for (let percent = 0; percent < 50; percent += 1) publisher.publish(at(percent));
    publisher.publish(at(50, { status: 'paused' }));
    publisher.publish(at(50, { status: 'running' }));
    publisher.publish(at(100, { status: 'succeeded' }));
    const states = world.memos.map(({ job: told }) => (told as Job).status);
    expect(states.slice(-3)).toEqual(['paused', 'running', 'succeeded']);
    expect(world.attributes.map((pairs) => pairs[1]?.value)).toEqual([
      'running',
      'paused',
      'running',
      'succeeded',
    ]);
  });

  it('holds no clips and no more of the prompts than their beginnings, once', () => {
    const publisher = new VisibilityPublisher();
    publisher.publish(at(0));
    publisher.publish(at(10));
    expect(world.memos[0]?.['beginnings']).toHaveLength(3);
    expect(world.memos[1]).not.toHaveProperty('beginnings');
    expect(world.memos[0]?.['job']).not.toHaveProperty('clips');
  });

  it('needs no search attributes of the server', () => {
    world.hasAttributes = false;
    new VisibilityPublisher().publish(at(0));
    expect([world.memos.length, world.attributes.length]).toEqual([1, 0]);
  });
});
