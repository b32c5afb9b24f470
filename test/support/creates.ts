/** What is written down of creates, in memory instead of on a disk. */
import type { Creates } from '../../src/adapters/storage/create-log.js';
import type { EarlierCreate, CreateIntent } from '../../src/domain/job/create-intent.js';

export interface NotedCreates extends Creates {
  /** By job and clip. */
  readonly notes: Map<string, Map<number, EarlierCreate>>;
}

/** `since`: from when on none is missing. `begin` is called before one is written, and may be where a test steps in. */
export function notedCreates({
  since = null,
  begin,
}: { since?: string | null; begin?: (() => void) | undefined } = {}): NotedCreates {
  const notes = new Map<string, Map<number, EarlierCreate>>();
  return {
    notes,
    open: () => Promise.resolve(),
    sweep: () => Promise.resolve(0),
    of(jobId, clipIndex) {
      const key = `${jobId}/${String(clipIndex)}`;
      const clip = notes.get(key) ?? new Map<number, EarlierCreate>();
      notes.set(key, clip);
      return {
        since: () => Promise.resolve(since),
        earlier: () =>
          Promise.resolve({ creates: [...clip.values()], last: Math.max(0, ...clip.keys()) }),
        begin(number: number, intent: CreateIntent) {
          begin?.();
          if (clip.has(number)) return Promise.resolve(false);
          clip.set(number, { ...intent, number });
          return Promise.resolve(true);
        },
        answer(number: number, prediction_id: string | null) {
          const create = clip.get(number);
          if (create !== undefined) clip.set(number, { ...create, prediction_id });
          return Promise.resolve();
        },
        withdraw(number: number) {
          clip.delete(number);
          return Promise.resolve();
        },
      };
    },
  };
}
