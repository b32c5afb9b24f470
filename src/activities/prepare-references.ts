/**
 * Looks at every reference image before anything is paid, each URL once, and uploads composites. Unpaid, and harmless to
 * run again. A clip whose images are refused comes back with the reason; the activity does not fail for it.
 */
import { Context } from '@temporalio/activity';
import pLimit from 'p-limit';
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
import { WAITS } from './waits.js';

/** Fetches at a time, of at most 20 MB each. */
const MAX_FETCHES = 6;
/** This machine's clock, which may differ from the server's. */
const OWN_CLOCK = { ahead: 0 };

export const createPrepareReferences =
  (deps: Deps) =>
  async (input: PrepareReferencesInput): Promise<PrepareReferencesResult> => {
    const context = Context.current();
    const references = deps.references(context.info.workflowExecution?.workflowId ?? '');
    const beat = setInterval(() => {
      const told: DownloadHeartbeat = { waits_for: references.waiting?.() ?? null, answer: null };
      context.heartbeat(told);
    }, WAITS.heartbeat);
    try {
      await learnServerTime(deps, context);
      return await prepare(references, input, context.cancellationSignal);
    } catch (error) {
      // A failure that follows from the abort is reported as the cancellation.
      if (context.cancellationSignal.aborted) await context.cancelled;
      throw error;
    } finally {
      // At every end, also of a canceled job: no later execution removes them.
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
      // One after another: the first of equal composites is remembered, and uploaded once.
      const outcome = await references.upload(composite, signal);
      if (outcome.type === 'failed') {
        result.refused.push({ clip_index, error: problem(outcome.kind, outcome.message) });
      } else {
        const { url, renew_at } = outcome;
        // Told by this machine's clock; the workflow compares it with the server's.
        result.uploads.push({ clip_index, url, renew_at: asServerTime(renew_at, OWN_CLOCK) });
        await show(references, composite, clip_index);
      }
    }
  }
  return result;
}

/** For people only: a picture that cannot be shown stops no clip. */
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

/** Composites of an earlier execution: their parts were good, and are not looked at again. */
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
  const each = new Map(files.map((file) => [keyOf(file), file]));
  const reasons = new Map<string, string>();
  await pLimit(MAX_FETCHES).map(each, async ([key, { kind, url }]) => {
    const reason =
      kind === 'image'
        ? await references.check(url, { keep: composed.has(url), signal })
        : await references.checkMedia({ kind, url }, signal);
    if (reason !== null) reasons.set(key, `${shownUrl(url)}: ${reason}`);
  });
  return reasons;
}
