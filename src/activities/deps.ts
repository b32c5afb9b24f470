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
import type { PollHints } from '../adapters/replicate/poll-hints.js';
import type { HistoryLimits } from '../contract/activities.js';
import type { Timings } from '../contract/timings.js';
import type { PlanContext } from '../domain/plan/check-plan.schema.js';

export interface Deps {
  /** The identity of the store. */
  store_id: string;
  replicate: Replicate;
  /** What the account's list has shown, shared by all searches. */
  index: PredictionIndex;
  reader: PredictionReader;
  poll_hints: Pick<PollHints, 'on'>;
  claims: Claims;
  /** Creates are written down here before they are sent. */
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
  /** When jobs continue in a new run; the default when absent. */
  history_limits?: HistoryLimits;
  /** Outputs may come from here as well as from replicate.delivery, and the token is sent here only. */
  provider_origin: string;
  token: string;
  /** The slots in which outputs are downloaded; those of the process when absent. */
  downloads?: DownloadSlots;
  /** The defaults when absent. */
  download_limits?: Pick<DownloadOptions, 'idle' | 'overall' | 'rate'>;
  /** For files of the provider: through the proxy, where there is one. */
  fetch: typeof fetch;
}
