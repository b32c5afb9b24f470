/** A prediction as the provider tells of it once it has succeeded. */
import type { ProviderPrediction } from '../../src/adapters/replicate/replicate-client.js';

export const rendered = (id: string): ProviderPrediction => ({
  id,
  model: 'a/b',
  version: null,
  status: 'succeeded',
  input: { prompt: 'a' },
  output: { type: 'file', url: 'https://replicate.delivery/x.mp4' },
  output_url: 'https://replicate.delivery/x.mp4',
  error: null,
  logs: '',
  data_removed: false,
  created_at: new Date().toISOString(),
  started_at: null,
  completed_at: new Date().toISOString(),
  deadline: null,
  predict_time: 1,
  web_url: `https://replicate.com/p/${id}`,
});
