/**
 * The clips of a job as they are sent to one model, once their reference images were looked at: as planned, with the URL of their
 * composite, or without images. A clip that was refused stays due, so that a retry looks at its images again.
 *
 * PREPARED-1 No clip starts before each of its images was found good, or the clip was prepared without images.
 */
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type {
  CarriedImages,
  PrepareReferencesResult,
  RefusedClip,
} from '../contract/activities.js';
import { asTextOnly, referencesIn, withUpload } from '../domain/references/clip-references.js';
import { problem } from '../domain/job/failure-kinds.js';
import type { ResolvedClip } from '../domain/plan/resolved.js';
import { WarningList } from '../domain/plan/warning-list.js';
import { looking } from './activity-options.js';
import type { JobLog } from './job-log.js';

interface Prepared extends CarriedImages {
  clip: ResolvedClip;
}

export class PreparedClips {
  readonly #log: JobLog;
  readonly #planned: ReadonlyMap<number, ResolvedClip>;
  readonly #withImages: ReadonlySet<number>;
  readonly #prepared = new Map<number, Prepared>();

  constructor(clips: readonly ResolvedClip[], log: JobLog, prepared: readonly CarriedImages[]) {
    this.#log = log;
    this.#planned = new Map(clips.map((clip) => [clip.clip_index, clip]));
    const withImages = clips.filter((clip) => referencesIn(clip) !== null);
    this.#withImages = new Set(withImages.map(({ clip_index }) => clip_index));
    for (const images of prepared) this.#prepare(images);
  }

  /** For the next run of the chain. */
  carry(): CarriedImages[] {
    return [...this.#prepared.values()].map(({ clip: _, ...images }) => images);
  }

  #prepare(images: CarriedImages): boolean {
    const planned = this.#planned.get(images.clip_index);
    if (planned === undefined) return false;
    const { url, text_only } = images;
    const clip = text_only
      ? asTextOnly(planned)
      : url === null
        ? planned
        : withUpload(planned, url);
    if (clip === null) return false;
    this.#prepared.set(images.clip_index, { ...images, clip });
    return true;
  }

  /** The clip as it is sent to the model. */
  clip(index: number): ResolvedClip {
    const clip = this.#prepared.get(index)?.clip ?? this.#planned.get(index);
    if (clip === undefined) throw new Error(`expected clip ${String(index)} in the plan`);
    return clip;
  }

  /** Clips whose images have to be looked at before they may start (PREPARED-1). */
  due(indexes: readonly number[]): number[] {
    return indexes.filter((index) => {
      if (!this.#withImages.has(index)) return false;
      const prepared = this.#prepared.get(index);
      return (
        prepared === undefined ||
        (prepared.renew_at !== null && Date.parse(prepared.renew_at) <= Date.now())
      );
    });
  }

  /** Looks at the images of these clips; the result is the clips that cannot be made, and why. */
  async prepare(indexes: readonly number[]): Promise<RefusedClip[]> {
    const { refused, uploads } = await this.#look(indexes);
    const urls = new Map(uploads.map((upload) => [upload.clip_index, upload]));
    const problems = new Map(refused.map((clip) => [clip.clip_index, clip]));
    const warnings = new WarningList(this.#planned.size);
    const unusable: RefusedClip[] = [];
    for (const index of indexes) {
      const found = problems.get(index);
      const upload = urls.get(index);
      const images = { clip_index: index, url: upload?.url ?? null, text_only: false };
      if (found === undefined) {
        this.#prepare({ ...images, renew_at: upload?.renew_at ?? null });
      } else if (
        found.error.kind === 'invalid_reference' &&
        this.#prepare({ ...images, text_only: true, renew_at: null })
      ) {
        warnings.add(index, [`is rendered without reference images; ${found.error.message}`]);
      } else unusable.push(found);
    }
    for (const line of warnings.lines()) this.#log.warn(line);
    return unusable;
  }

  async #look(indexes: readonly number[]): Promise<PrepareReferencesResult> {
    const clips = indexes.flatMap((index) => {
      const planned = this.#planned.get(index);
      return planned === undefined ? [] : (referencesIn(planned) ?? []);
    });
    const summary = `look at the reference images of ${String(clips.length)} clips`;
    try {
      return await looking().prepareReferences.executeWithOptions({ summary }, [{ clips }]);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const message = `the reference images could not be looked at: ${error.cause?.message ?? error.message}`;
      const found = problem('internal', message);
      return {
        refused: clips.map(({ clip_index }) => ({ clip_index, error: found })),
        uploads: [],
      };
    }
  }
}
