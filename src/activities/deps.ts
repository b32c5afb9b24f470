/** The world that activities need, as ports; the worker assembles it, tests replace parts of it. */
import type { ArtifactStore } from '../adapters/artifact-store.js';
import type { Claims } from '../adapters/claims.js';
import type { Creates } from '../adapters/creates.js';
import type { DownloadOptions } from '../adapters/download.js';
import type { Hazards } from '../adapters/hazards.js';
import type { Media } from '../adapters/media.js';
import type { Places } from '../adapters/places.js';
import type { PredictionIndex } from '../adapters/prediction-index.js';
import type { PredictionReader } from '../adapters/prediction-reader.js';
import type { FindReferences } from '../adapters/references.js';
import type { Replicate } from '../adapters/replicate.js';
import type { FindOwnWorkflow } from '../adapters/temporal.js';
import type { Wakes } from '../adapters/wakes.js';
import type { HistoryLimits, Timings } from '../domain/activity.js';
import type { PlanContext } from '../domain/check-plan.schema.js';

export interface Deps {
  /** Of DATA_DIR. */
  store_id: string;
  replicate: Replicate;
  /** What the account's list has shown, for all searches. */
  index: PredictionIndex;
  reader: PredictionReader;
  wakes: Pick<Wakes, 'on'>;
  claims: Claims;
  /** What is written down before it is paid. */
  creates: Creates;
  store: ArtifactStore;
  media: Media;
  hazards: Hazards;
  references: FindReferences;
  workflow: FindOwnWorkflow;
  plan: PlanContext;
  simulated: boolean;
  webhook_url: string | null;
  timings: Timings;
  /** When jobs continue in a new run; the product's own when absent. */
  history_limits?: HistoryLimits;
  /** Origins that outputs may come from beside replicate.delivery, and the one that gets the token. */
  provider_origin: string;
  token: string;
  /** Places of downloads of outputs; the product's own when absent. */
  downloads?: Places;
  /** The product's own when absent. */
  download_limits?: Pick<DownloadOptions, 'idle' | 'overall' | 'rate'>;
  /** For files of the provider: by the proxy, where there is one. */
  fetch: typeof fetch;
}
