/**
 * The models that may make the clips of a job: the plan's own, and its `fallback_models`. Each has the clips as they are
 * planned on it, and looks at their reference images.
 *
 * MODELS-1 A clip begins with the plan's own model, also when it is retried. If a run that was ended from outside may have
 *    left a prediction of it alive on another model, the clip begins with that one.
 */
import { clipsOn } from '../domain/job/fallbacks.js';
import { plannedFor } from '../domain/job/initial-job.js';
import type { CarriedImages } from '../contract/activities.js';
import type { Clip } from '../domain/job/job.schema.js';
import type { ResolvedModel, ResolvedPlan } from '../domain/plan/resolved.js';
import type { Estimates } from './clip-state.js';
import type { JobLog } from './job-log.js';
import { PreparedClips } from './prepared-clips.js';

export interface ClipModel {
  readonly model: ResolvedModel;
  /** The name in clips and predictions; undefined in a job with one model. */
  readonly name: string | undefined;
  readonly prepared: PreparedClips;
  /** The clip as it is shown when it is planned on this model. */
  readonly shown: (clip: Clip) => Clip;
}

export class ClipModels {
  readonly first: ClipModel;
  readonly #all: readonly ClipModel[];
  readonly #plan: ResolvedPlan;

  constructor(plan: ResolvedPlan, log: JobLog, prepared: readonly CarriedImages[]) {
    const { model, clips, fallbacks } = plan;
    this.#plan = plan;
    const own = new PreparedClips(clips, log, prepared);
    if (fallbacks === undefined) {
      this.first = { model, name: undefined, prepared: own, shown: (clip) => clip };
      this.#all = [this.first];
      return;
    }
    const oneOfSeveral = (of: ResolvedModel, its: PreparedClips): ClipModel => ({
      model: of,
      name: of.id,
      prepared: its,
      shown: (clip) => plannedFor(log.job.job_id, clip, of, its.clip(clip.clip_index)),
    });
    this.first = oneOfSeveral(model, own);
    this.#all = [
      this.first,
      ...fallbacks.map((other) =>
        oneOfSeveral(other.model, new PreparedClips(clipsOn(clips, other.clips), log, [])),
      ),
    ];
  }

  /** The plan's own model where the plan has none of this name. */
  named(model: string | undefined): ClipModel {
    return this.#all.find((one) => one.model.id === model) ?? this.first;
  }

  after(model: ClipModel): ClipModel | null {
    return this.#all[this.#all.indexOf(model) + 1] ?? null;
  }

  /** Does the model that made a prediction bill failed ones? */
  billsFailed(model: string | undefined): boolean {
    return this.named(model).model.bills_failed;
  }

  get arePriced(): boolean {
    const { estimated_cost_usd: own, fallbacks = [] } = this.#plan;
    return own !== null && fallbacks.every((other) => other.estimated_cost_usd !== null);
  }

  estimates(clipIndex: number): Estimates {
    if (this.#all.length === 1) return new Map();
    return new Map(
      this.#all.map(({ model, prepared }) => [
        model.id,
        prepared.clip(clipIndex).estimated_cost_usd,
      ]),
    );
  }
}
