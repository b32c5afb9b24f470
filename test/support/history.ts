/** What a history says of its activities. */
import type { WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** The queue of each scheduling of an activity, in order. */
export const queuesOf = ({ events }: History, activityId: string): (string | undefined)[] =>
  (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: its }) =>
    its?.activityId === activityId ? [its.taskQueue?.name ?? undefined] : [],
  );

/** The queue that each kind of activity was sent to, the last time. */
export const queuesByType = ({ events }: History): Record<string, string | undefined> =>
  Object.fromEntries(
    (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: its }) =>
      its?.activityType?.name ? [[its.activityType.name, its.taskQueue?.name ?? undefined]] : [],
    ),
  );

/** How often each scheduling of an activity was executed, in order: a history has only the last start of each. */
export function executionsOf({ events }: History, activityId: string): number[] {
  const scheduled = (events ?? [])
    .filter((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId)
    .map(({ eventId }) => String(eventId));
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: its }) =>
    its && scheduled.includes(String(its.scheduledEventId)) ? [its.attempt ?? 0] : [],
  );
}

/** What a worker had to be asked for before the first clip: workflow tasks, and activities by their names. */
export function stepsToFirstClip({ events }: History): string[] {
  const steps: string[] = [];
  for (const event of events ?? []) {
    const { activityType, activityId } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityId?.startsWith('clip-')) return steps;
    if (event.workflowTaskCompletedEventAttributes != null) steps.push('workflow task');
    if (activityType?.name != null) steps.push(activityType.name);
  }
  throw new Error('expected a clip in this history');
}
