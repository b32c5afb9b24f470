/** Opens the store that the settings name. */
import type { Config } from '../../config.js';
import { createDirectoryStore } from './directory-store.js';
import type { Store } from './store.js';

export const openStore = ({ data_dir }: Pick<Config, 'data_dir'>): Promise<Store> =>
  Promise.resolve(createDirectoryStore(data_dir));
