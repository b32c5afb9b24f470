/**
 * The clips of a job as they are sent, once their reference images were looked at: as planned, with the URL of their
 * composite, or without images. A clip that was refused stays due, so that a retry looks again.
 *
 * I2 No clip starts before each of its images was found good, or it does without.
 */
import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { PrepareReferencesResult, RefusedClip } from '../domain/activity.js';
import { asTextOnly, referencesIn, withUpload } from '../domain/clip-references.js';
import { problem } from '../domain/failure-kinds.js';
import type { ResolvedClip, ResolvedPlan } from '../domain/resolved.js';
import { WarningList } from '../domain/warning-list.js';
import { looking } from './activities.js';
import type { JobLog } from './job-log.js';

interface Prepared {
  clip: ResolvedClip;
  /** When its upload has to be made again. */
  renew_at: number;
}

export class ReferenceImages {
  readonly #log: JobLog;
  readonly #planned: ReadonlyMap<number, ResolvedClip>;
  readonly #prepared = new Map<number, Prepared>();

  constructor({ clips }: ResolvedPlan, log: JobLog) {
    this.#log = log;
    this.#planned = new Map(clips.map((clip) => [clip.clip_index, clip]));
  }

  /** As it is to be sent. */
  clip(index: number): ResolvedClip {
    const clip = this.#prepared.get(index)?.clip ?? this.#planned.get(index);
    if (clip === undefined) throw new Error(`expected clip ${String(index)} in the plan`);
    return clip;
  }

  /** Those whose images have to be looked at before they may start. */
  due(indexes: readonly number[]): number[] {
    return indexes.filter((index) => {
      const planned = this.#planned.get(index);
      if (planned === undefined || referencesIn(planned) === null) return false;
      const prepared = this.#prepared.get(index);
      return prepared === undefined || prepared.renew_at <= Date.now();
    });
  }

  /** Answers with the clips that cannot go on, and why. */
  async prepare(indexes: readonly number[]): Promise<RefusedClip[]> {
    const { refused, uploads } = await this.#look(indexes);
    const urls = new Map(uploads.map((upload) => [upload.clip_index, upload]));
    const problems = new Map(refused.map((clip) => [clip.clip_index, clip]));
    const warnings = new WarningList(this.#planned.size);
    const over: RefusedClip[] = [];
    for (const index of indexes) {
      const planned = this.#planned.get(index);
      if (planned === undefined) continue;
      const found = problems.get(index);
      const upload = urls.get(index);
      if (found === undefined) {
        const clip = upload === undefined ? planned : withUpload(planned, upload.url);
        const renewAt = upload === undefined ? Infinity : Date.parse(upload.renew_at);
        this.#prepared.set(index, { clip, renew_at: renewAt });
        continue;
      }
      const clip = found.error.kind === 'invalid_reference' ? asTextOnly(planned) : null;
      if (clip === null) over.push(found);
      else {
        this.#prepared.set(index, { clip, renew_at: Infinity });
        warnings.add(index, [`goes on without reference images; ${found.error.message}`]);
      }
    }
    for (const line of warnings.lines()) this.#log.warn(line);
    return over;
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
