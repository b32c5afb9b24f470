/** The world that activities need, as ports; the worker assembles it, tests replace parts of it. */
import type { ArtifactStore } from '../adapters/storage/artifact-store.js';
import type { Claims } from '../adapters/storage/claims.js';
import type { Creates } from '../adapters/storage/create-log.js';
import type { DownloadOptions } from '../adapters/replicate/download-output.js';
import type { Hazards } from '../adapters/media/hazards.js';
import type { Media } from '../adapters/media/media.js';
import type { DownloadSlots } from '../adapters/network/download-slots.js';
import type { PredictionIndex } from '../adapters/replicate/prediction-index.js';
import type { PredictionReader } from '../adapters/replicate/prediction-reader.js';
import type { FindReferences } from '../adapters/references/reference-images.js';
import type { Replicate } from '../adapters/replicate/replicate-client.js';
import type { FindOwnWorkflow } from '../adapters/temporal/workflow-calls.js';
import type { Wakes } from '../adapters/replicate/poll-hints.js';
import type { HistoryLimits } from '../contract/activities.js';
import type { Timings } from '../contract/timings.js';
import type { PlanContext } from '../domain/plan/check-plan.schema.js';

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
  /** Slots for downloads of outputs; the product's own when absent. */
  downloads?: DownloadSlots;
  /** The product's own when absent. */
  download_limits?: Pick<DownloadOptions, 'idle' | 'overall' | 'rate'>;
  /** For files of the provider: by the proxy, where there is one. */
  fetch: typeof fetch;
}
