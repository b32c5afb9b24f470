/**
 * Looks at every reference image before anything is paid, each URL once, and uploads what has to be composed.
 * Unpaid, and harmless to run again. A clip it cannot help comes back with the reason; it never fails for that.
 */
import { Context } from '@temporalio/activity';
import type { References } from '../adapters/references/reference-images.js';
import type {
  DownloadHeartbeat,
  PrepareReferencesInput,
  PrepareReferencesResult,
} from '../contract/activities.js';
import type { ClipReferences, MediaFile } from '../domain/references/clip-references.js';
import { shownUrl, urlsOfComposite } from '../domain/references/clip-references.js';
import { problem } from '../domain/job/failures.js';
import type { CompositeReference } from '../domain/references/composite.schema.js';
import type { Deps } from './deps.js';
import { asServerTime, learnServerTime } from './server-clock.js';

/** Fetches at a time, of at most 20 MB each. */
const AT_A_TIME = 6;
/** This machine's clock, as one that may differ from the server's. */
const OWN = { ahead: 0 };

export const createPrepareReferences =
  (deps: Deps) =>
  async (input: PrepareReferencesInput): Promise<PrepareReferencesResult> => {
    const context = Context.current();
    const references = deps.references(context.info.workflowExecution?.workflowId ?? '');
    const beat = setInterval(() => {
      const told: DownloadHeartbeat = { waits_for: references.waiting?.() ?? null, answer: null };
      context.heartbeat(told);
    }, 1_000);
    try {
      await learnServerTime(deps, context);
      return await prepare(references, input, context.cancellationSignal);
    } catch (error) {
      // What an abort breaks is the cancellation's business, not a failure of its own.
      if (context.cancellationSignal.aborted) await context.cancelled;
      throw error;
    } finally {
      // At every end, also of a canceled job: nothing comes back for them.
      await references.tidy().catch((error: unknown) => {
        context.log.warn('images that were kept cannot be removed', { error });
      });
      clearInterval(beat);
    }
  };

async function prepare(
  references: References,
  { clips }: PrepareReferencesInput,
  signal: AbortSignal,
): Promise<PrepareReferencesResult> {
  const built = await builtBefore(references, clips);
  const reasons = await lookAtAll(references, clips, built, signal);
  const reasonOf = (clip: ClipReferences): string | undefined =>
    filesOf(clip, built)
      .map((file) => reasons.get(keyOf(file)))
      .find((reason) => reason !== undefined);
  const result: PrepareReferencesResult = { refused: [], uploads: [] };
  for (const clip of clips) {
    const { clip_index, composite } = clip;
    const reason = reasonOf(clip);
    if (reason !== undefined) {
      result.refused.push({ clip_index, error: problem('invalid_reference', reason) });
    } else if (composite !== undefined) {
      // One after another: equal sets are uploaded once, since the first is remembered.
      const outcome = await references.upload(composite, signal);
      if (outcome.type === 'failed') {
        result.refused.push({ clip_index, error: problem(outcome.kind, outcome.message) });
      } else {
        const { url, renew_at } = outcome;
        // By this machine's clock; the workflow compares it with the server's.
        result.uploads.push({ clip_index, url, renew_at: asServerTime(renew_at, OWN) });
        await show(references, composite, clip_index);
      }
    }
  }
  return result;
}

/** For people only: a picture that cannot be shown keeps no clip from being made. */
async function show(
  references: References,
  composite: CompositeReference,
  clipIndex: number,
): Promise<void> {
  try {
    await references.assign(composite, clipIndex);
  } catch (error) {
    Context.current().log.warn('the composite of a clip cannot be shown', { clipIndex, error });
  }
}

/** Their parts were good when they were built; nobody will look at them again. */
async function builtBefore(
  references: References,
  clips: readonly ClipReferences[],
): Promise<Set<CompositeReference>> {
  const built = new Set<CompositeReference>();
  for (const { composite } of clips) {
    if (composite !== undefined && (await references.isBuilt(composite))) built.add(composite);
  }
  return built;
}

type File = MediaFile | { kind: 'image'; url: string };

/** A file may be good as a video and no image. */
const keyOf = ({ kind, url }: File): string => `${kind} ${url}`;

function filesOf(
  { urls, composite, media = [] }: ClipReferences,
  built: ReadonlySet<CompositeReference>,
): File[] {
  const parts = composite === undefined || built.has(composite) ? [] : urlsOfComposite(composite);
  return [...[...urls, ...parts].map((url) => ({ kind: 'image', url }) as const), ...media];
}

/** Key of a file → what is wrong with it, for those that are not fine. */
async function lookAtAll(
  references: References,
  clips: readonly ClipReferences[],
  built: ReadonlySet<CompositeReference>,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const composed = new Set(
    clips.flatMap(({ composite }) =>
      composite === undefined || built.has(composite) ? [] : urlsOfComposite(composite),
    ),
  );
  const files = clips.flatMap((clip) => filesOf(clip, built));
  const waiting = [...new Map(files.map((file) => [keyOf(file), file])).values()];
  const reasons = new Map<string, string>();
  const look = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { kind, url } = file;
      const reason =
        kind === 'image'
          ? await references.check(url, { keep: composed.has(url), signal })
          : await references.checkMedia({ kind, url }, signal);
      if (reason !== null) reasons.set(keyOf(file), `${shownUrl(url)}: ${reason}`);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, look));
  return reasons;
}
