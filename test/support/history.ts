/** What a history says of its activities. */
import type { WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** How often each scheduling of an activity was executed, in order: a history has only the last start of each. */
export function executionsOf({ events }: History, activityId: string): number[] {
  const scheduled = (events ?? [])
    .filter((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId)
    .map(({ eventId }) => String(eventId));
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: its }) =>
    its && scheduled.includes(String(its.scheduledEventId)) ? [its.attempt ?? 0] : [],
  );
}
