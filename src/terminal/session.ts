/**
 * Follows one job from where it stands to its end, through any loss of the connection: folds the stream into the
 * view, tells the reporter, fetches files as clips finish. Decides nothing about the job but what a person answers
 * to Ctrl-C.
 */
import type { ReadStream } from 'node:tty';
import type { Client } from '../client/create-client.js';
import type { FollowItem } from '../client/follow-events.js';
import type { Job } from '../client/wire.js';
import { isOver } from '../domain/job/progress.js';
import { errorMessage } from '../domain/values/error-message.js';
import { startDownloads, writeResult } from './downloads.js';
import type { Answer, Interruption } from './interruption.js';
import { readKey } from './key.js';
import type { Reporter } from './reporters.js';
import { openView, seen } from './view.js';
import type { View } from './view.js';

interface Access {
  api: Client;
  ui_url: string | null;
}

interface SessionOptions {
  out: string;
  reporter: Reporter;
  interruption: Interruption;
  /** Where Ctrl-C's question is answered; null where there is no keyboard. */
  keyboard: ReadStream | null;
  /** The last event that needs no telling; 0 = tell the whole log. */
  after: number;
  /** Asked each time the connection is lost: is the stack that was followed gone for good? */
  isGone: () => Promise<boolean>;
}

export type SessionEnd =
  | { kind: 'over'; job: Job; failures: readonly string[] }
  | { kind: 'left' }
  | { kind: 'stack_gone'; job: Job };

const PATIENCE = 20_000;
const QUESTION =
  'Leave the job running (l), cancel it (c), or go on watching (any other key)? Ctrl-C again leaves.';

export async function follow(
  first: Job,
  access: Access,
  options: SessionOptions,
): Promise<SessionEnd> {
  const { api, ui_url } = access;
  const { reporter, interruption, out } = options;
  let view: View = openView(first, { page_url: pageUrl(api, first), ui_url, out });
  const change = (next: View, item: FollowItem | null): void => {
    view = next;
    reporter.changed(view, item);
  };
  const downloads = startDownloads(api, out, (clipIndex) => {
    change({ ...view, saved: new Set(view.saved).add(clipIndex) }, null);
  });
  if (options.keyboard !== null) {
    interruption.ask(questionAt(options.keyboard, { api, view: () => view, change, reporter }));
  }
  reporter.opened(view);
  downloads.offer(view.job);
  const stop = new AbortController();
  let gone = false;
  for await (const item of api.follow(first.job_id, {
    after: options.after,
    signal: AbortSignal.any([interruption.signal, stop.signal]),
  })) {
    change(seen(view, item), item);
    downloads.offer(view.job);
    if (item.kind === 'lost' && (await options.isGone())) {
      gone = true;
      stop.abort();
    }
  }
  interruption.ask(null);
  change({ ...view, notice: null }, null);
  if (interruption.signal.aborted || gone) {
    downloads.abort();
    return gone ? { kind: 'stack_gone', job: view.job } : { kind: 'left' };
  }
  return finish(await finalJob(api, view.job), view, { downloads, reporter, out });
}

interface Ending {
  downloads: ReturnType<typeof startDownloads>;
  reporter: Reporter;
  out: string;
}

async function finish(
  job: Job,
  view: View,
  { downloads, reporter, out }: Ending,
): Promise<SessionEnd> {
  downloads.offer(job);
  const { files, failures } = await downloads.finish();
  await writeResult(out, job);
  reporter.ended({ ...view, job, live: new Map() }, { out, files });
  for (const failure of failures) reporter.say(failure);
  return { kind: 'over', job, failures };
}

/** The server's own snapshot; what was folded from the stream where it no longer answers. */
async function finalJob(api: Client, folded: Job): Promise<Job> {
  const told = await api.jobs.get(folded.job_id).catch(() => folded);
  return isOver(told.status) ? told : folded;
}

const pageUrl = (api: Client, job: Job): string =>
  api.urlOf(`/jobs/${encodeURIComponent(job.job_id)}`);

interface Asking {
  api: Client;
  view: () => View;
  change: (view: View, item: null) => void;
  reporter: Reporter;
}

function questionAt(
  keyboard: ReadStream,
  { api, view, change, reporter }: Asking,
): (signal: AbortSignal) => Promise<Answer> {
  const notice = (text: string | null): void => {
    change({ ...view(), notice: text }, null);
  };
  return async (signal) => {
    notice(QUESTION);
    const key = (await readKey(keyboard, PATIENCE, signal))?.toLowerCase();
    if (signal.aborted) return 'stay';
    notice(null);
    if (key === 'l' || key === '\u0003') return 'leave';
    if (key === 'c') {
      await api.jobs.cancel(view().job.job_id).then(
        () => {
          notice('Canceling: running predictions are ended at the provider.');
        },
        (error: unknown) => {
          reporter.say(`The job could not be canceled: ${errorMessage(error)}`);
        },
      );
    }
    return 'stay';
  };
}
