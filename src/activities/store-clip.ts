/**
 * Stores a finished video: download, check, measure, thumbnail, keep. Unpaid, so it may run as often as needed; it never
 * makes a prediction and never asks for one.
 *
 * STORE-CLIP-1 A stored video is whole and measured, or it is not there.
 * STORE-CLIP-2 The token goes to the provider's own origin only; nothing is fetched from a host that holds no outputs.
 * STORE-CLIP-3 A thumbnail that fails never fails the clip.
 * STORE-CLIP-4 A file that takes more memory or time than any video may, or took processes down, fails its clip for good; so
 *    does the same wrong answer again and again.
 * STORE-CLIP-5 Downloads of all jobs take turns: an execution holds a download slot only while it downloads.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { StoredVideo } from '../adapters/storage/artifact-store.js';
import { download } from '../adapters/replicate/download-output.js';
import type { Downloaded } from '../adapters/replicate/download-output.js';
import { ChildLost, TooMuch } from '../adapters/media/media.js';
import { isInline } from '../adapters/replicate/prediction-output.js';
import { DownloadSlots } from '../adapters/network/download-slots.js';
import type { StoreClipInput, StoreClipResult } from '../contract/activities.js';
import { clipFilePath } from '../domain/job/clip-files.js';
import { differsByMore } from '../domain/values/decimal.js';
import { errorMessage } from '../domain/values/error-message.js';
import type { FailureKind } from '../domain/job/failures.js';
import type { Deps } from './deps.js';
import { expectStoreOfJob } from './store-guard.js';
import { SAME_ANSWERS, StoringBeat } from './storing-heartbeats.js';
import { WAITS } from './waits.js';

/** Seconds by which a file may differ from what was requested. */
const DURATION_TOLERANCE = 2;

/** STORE-CLIP-5 Of this process. 48 slots are kept for jobs that download nothing yet. */
const SLOTS = new DownloadSlots({ total: 64, per_job: 8, beyond_first: 16 });

export const createStoreClip =
  (deps: Deps) =>
  async (input: StoreClipInput): Promise<StoreClipResult> => {
    expectStoreOfJob(deps, input);
    const context = Context.current();
    using beat = new StoringBeat(context);
    return await storeClip(deps, input, { context, beat });
  };

/** One execution of the activity, and its heartbeats. */
interface Storing {
  context: Context;
  beat: StoringBeat;
}

async function storeClip(
  deps: Deps,
  input: StoreClipInput,
  storing: Storing,
): Promise<StoreClipResult> {
  const { context } = storing;
  const jobId = context.info.workflowExecution?.workflowId ?? '';
  const guarded = failuresAs(storing);
  const before = await guarded('storage_error', () => deps.store.stored(jobId, input.clip_index));
  if (before?.prediction_id === input.prediction_id) return result(jobId, input, before);

  const url = await currentUrl(deps, input, context.info.attempt);
  await using file = await guarded('storage_error', () => deps.store.open(jobId, input.clip_index));
  const downloaded = await withDownloadSlot(deps, { jobId, url, ...storing }, () =>
    download(url, file.stream(), {
      provider_origin: deps.provider_origin,
      token: deps.token,
      fetch: deps.fetch,
      signal: context.cancellationSignal,
      ...deps.download_limits,
    }),
  );
  if (downloaded.type === 'failed') throw downloadFailure(downloaded, storing);
  /** Counts processes that die of this file (STORE-CLIP-4). */
  const risking = <T>(what: string, work: () => Promise<T>): Promise<T> =>
    deps.hazards.guard(jobId, `${what} ${input.prediction_id}`, work);
  const measured = await guarded('output_lost', () =>
    risking('measure', () => deps.media.measure(file.path)),
  );
  if (differsByMore(measured.duration, input.requested_duration, DURATION_TOLERANCE)) {
    throw failure(
      'wrong_duration',
      `expected ${String(input.requested_duration)} s (±${String(DURATION_TOLERANCE)}), the file has ${String(measured.duration)} s`,
      true,
    );
  }
  const facts: StoredVideo = {
    prediction_id: input.prediction_id,
    actual_duration: measured.duration,
    width: measured.width,
    height: measured.height,
    bytes: downloaded.bytes,
    sha256: downloaded.sha256,
    thumbnail: await makeThumbnail(deps, context, {
      jobId,
      clipIndex: input.clip_index,
      draw: () => risking('picture', () => deps.media.thumbnail(file.path, measured.duration / 2)),
    }),
  };
  await guarded('storage_error', () => file.keep(facts));
  return result(jobId, input, facts);
}

const WAITS_FOR_SLOT =
  'waits for its turn to be downloaded; other downloads of this job or of others come first';

/** STORE-CLIP-5 A file that the prediction itself holds needs no download. */
async function withDownloadSlot<T>(
  { downloads = SLOTS }: Deps,
  { jobId: job, url, beat, context }: Storing & { jobId: string; url: string },
  work: () => Promise<T>,
): Promise<T> {
  if (isInline(url)) return work();
  const host = URL.canParse(url) ? new URL(url).host : '';
  using _slot = await beat.waiting(WAITS_FOR_SLOT, () =>
    downloads.acquire({ job, host }, context.cancellationSignal),
  );
  return await work();
}

/**
 * The provider may have renewed the file's address, or say for certain that it is gone. A file that the prediction
 * itself holds is read out of it each time: it is too large for the activity's input.
 */
async function currentUrl(deps: Deps, input: StoreClipInput, attempt: number): Promise<string> {
  const isHeld = isInline(input.output_url);
  if (attempt === 1 && !isHeld) return input.output_url;
  const answer = await deps.replicate.get(input.prediction_id);
  if (answer.type !== 'found') {
    if (!isHeld) return input.output_url;
    const said = answer.type === 'missing' ? 'there is none' : answer.message;
    throw failure(
      'output_lost',
      `expected the file in prediction ${input.prediction_id}, ${said}`,
      false,
    );
  }
  const { output, output_url, data_removed } = answer.prediction;
  if (data_removed) throw failure('output_lost', 'the provider has deleted the file', true);
  if (output.type === 'inline') return output.data;
  if (output_url === null && isHeld) {
    throw failure('output_lost', 'expected the file in the prediction, its output is gone', false);
  }
  return output_url ?? input.output_url;
}

async function makeThumbnail(
  { store }: Deps,
  context: Context,
  of: { jobId: string; clipIndex: number; draw: () => Promise<Uint8Array> },
): Promise<boolean> {
  try {
    const jpeg = await of.draw();
    await store.saveThumbnail(of.jobId, of.clipIndex, jpeg);
    return true;
  } catch (error) {
    context.log.warn('no thumbnail could be made', { error });
    return false;
  }
}

const result = (
  jobId: string,
  { clip_index }: StoreClipInput,
  { actual_duration, thumbnail, bytes, sha256 }: StoredVideo,
): StoreClipResult => ({
  actual_duration,
  video_url: clipFilePath(jobId, clip_index, 'video'),
  thumbnail_url: thumbnail ? clipFilePath(jobId, clip_index, 'thumbnail') : null,
  video_sha256: sha256,
  video_bytes: bytes,
});

const failure = (kind: FailureKind, message: string, final: boolean): ApplicationFailure =>
  ApplicationFailure.create({ type: kind, message, nonRetryable: final });

function diskFailure(message: string, { attempt }: Context['info']): ApplicationFailure {
  const { first, longest } = WAITS.disk;
  return ApplicationFailure.create({
    type: 'storage_error',
    message,
    nextRetryDelay: `${String(Math.min(longest, first * 2 ** (attempt - 1)) / 1000)}s`,
  });
}

function downloadFailure(
  { kind, message, final, answered }: Extract<Downloaded, { type: 'failed' }>,
  storing: Storing,
): ApplicationFailure {
  if (kind === 'storage_error') return diskFailure(message, storing.context.info);
  if (answered === true) return answerFailure(message, storing);
  storing.beat.unanswered();
  return failure(kind, message, final);
}

/** STORE-CLIP-4: final when the same answer has come too often. */
function answerFailure(answer: string, { beat }: Storing): ApplicationFailure {
  const times = beat.answered(answer);
  return times < SAME_ANSWERS
    ? failure('output_lost', answer, false)
    : failure('output_lost', `${answer} (the same ${String(times)} times in a row)`, true);
}

/** What goes wrong in `work`, as a failure of the activity. */
const failuresAs =
  (storing: Storing) =>
  async <T>(kind: 'storage_error' | 'output_lost', work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const message = errorMessage(error);
      if (kind === 'storage_error') throw diskFailure(message, storing.context.info);
      // STORE-CLIP-4: no process can measure it.
      if (error instanceof TooMuch) throw failure(kind, message, true);
      if (error instanceof ChildLost) throw failure(kind, message, false);
      throw answerFailure(message, storing);
    }
  };
