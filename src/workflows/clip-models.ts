/**
 * The models that may make the clips of a job: the plan's own, and those that it names for when that one cannot
 * (`fallback_models`). Each has the clips as they are planned on it, and looks at their images.
 *
 * M1 A clip begins with the plan's own model, a retried one too; where a run that was ended from outside may have left
 *    something of it alive on another, with that one.
 */
import { clipsOn } from '../domain/job/fallbacks.js';
import { plannedFor } from '../domain/job/initial-job.js';
import type { CarriedImages } from '../contract/activities.js';
import type { Clip } from '../domain/job/job.schema.js';
import type { ResolvedModel, ResolvedPlan } from '../domain/plan/resolved.js';
import type { Estimates } from './clip-state.js';
import type { JobLog } from './job-log.js';
import { ReferenceImages } from './prepared-clips.js';

export class Maker {
  readonly model: ResolvedModel;
  /** Of the model, in a job that has several. */
  readonly name: string | undefined;
  readonly images: ReferenceImages;
  /** Shows a clip as it is planned here; where there is but one model, as it is. */
  readonly shown: (clip: Clip) => Clip;

  constructor(
    model: ResolvedModel,
    images: ReferenceImages,
    several?: { shown: (clip: Clip) => Clip },
  ) {
    this.model = model;
    this.name = several === undefined ? undefined : model.id;
    this.images = images;
    this.shown = several?.shown ?? ((clip) => clip);
  }
}

export class Makers {
  readonly first: Maker;
  readonly #all: readonly Maker[];
  readonly #plan: ResolvedPlan;

  constructor(plan: ResolvedPlan, log: JobLog, prepared: readonly CarriedImages[]) {
    const { model, clips, fallbacks } = plan;
    this.#plan = plan;
    const own = new ReferenceImages(clips, log, prepared);
    if (fallbacks === undefined) {
      this.first = new Maker(model, own);
      this.#all = [this.first];
      return;
    }
    const maker = (of: ResolvedModel, images: ReferenceImages): Maker =>
      new Maker(of, images, {
        shown: (clip) => plannedFor(log.job.job_id, clip, of, images.clip(clip.clip_index)),
      });
    this.first = maker(model, own);
    this.#all = [
      this.first,
      ...fallbacks.map((other) =>
        maker(other.model, new ReferenceImages(clipsOn(clips, other.clips), log, [])),
      ),
    ];
  }

  /** The plan's own for a name that the plan does not have. */
  named(model: string | undefined): Maker {
    return this.#all.find((maker) => maker.model.id === model) ?? this.first;
  }

  after(maker: Maker): Maker | null {
    return this.#all[this.#all.indexOf(maker) + 1] ?? null;
  }

  /** Of the model that made a prediction. */
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
      this.#all.map(({ model, images }) => [model.id, images.clip(clipIndex).estimated_cost_usd]),
    );
  }
}
