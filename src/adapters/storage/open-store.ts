/** Opens the store that the settings name. The AWS SDK, 30 MB of a process, is loaded only for a bucket. */
import type { Config } from '../../config.js';
import { createDirectoryStore } from './directory-store.js';
import type { Store } from './store.js';

export async function openStore({
  data_dir,
  storage: { url, ...server },
}: Pick<Config, 'data_dir' | 'storage'>): Promise<Store> {
  if (url === null) return createDirectoryStore(data_dir);
  const { createS3Store } = await import('./s3-store.js');
  return createS3Store({ url, ...server });
}
