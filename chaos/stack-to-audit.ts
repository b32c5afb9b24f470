/** What a chaos run leaves to be looked at. */
import type { Store } from '../src/adapters/storage/store.js';
import type { Config } from '../src/config.js';
import type { Simulator } from '../src/simulator/index.js';
import type { Target } from './target.js';

export interface StackToAudit {
  /** As a command on this stack reads it. */
  config: Pick<Config, 'temporal'>;
  /** Where its jobs are kept. */
  store: Store;
  simulator: Pick<Simulator, 'control_url'>;
  api_url: string;
  api_key: string | null;
  /** Of the product. */
  processes: readonly Target[];
}
