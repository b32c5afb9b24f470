/** What a clip adds to the history of its job, counted on a real server. */
import { expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const CLIPS = 30;
const WINDOW = 10;

it('a clip adds two activities, a signal and at most three steps to the history, and no timer of its own', async () => {
  await using world = await World.create();
  await world.startWorker();
  const prompts = Array.from({ length: CLIPS }, (_, index) => String(index));
  const run = await world.start(planOf(prompts, { dispatch: 'window', batch_size: WINDOW }));
  expect(await run.end()).toMatchObject({ successful_clips: CLIPS });
  const { events } = await run.handle.fetchHistory();
  const count = (kind: keyof NonNullable<typeof events>[number]): number =>
    (events ?? []).filter((event) => event[kind] != null).length;
  // Besides, the job is archived; its plan is checked within the first step.
  expect(count('activityTaskScheduledEventAttributes')).toBe(2 * CLIPS + 1);
  expect(count('workflowExecutionSignaledEventAttributes')).toBe(CLIPS);
  // The first clips are reported in any order, and an earlier deadline than the timer's starts it again.
  expect(count('timerStartedEventAttributes')).toBeLessThanOrEqual(WINDOW);
  expect(count('workflowTaskCompletedEventAttributes')).toBeLessThanOrEqual(3 * CLIPS + 3);
});
