/** What the id of an activity tells: which clip it is for, and what it does for that clip. */

/** `clip-3` renders, `store-3` stores. */
const ACTIVITY_ID = /^(clip|store)(?:-clip)?-(\d+)$/;

/** Null for an activity that is not for one clip. */
export const clipOfActivity = (activityId: string): { role: string; clip_index: number } | null => {
  const [, role, index] = ACTIVITY_ID.exec(activityId) ?? [];
  return role === undefined ? null : { role, clip_index: Number(index) };
};
