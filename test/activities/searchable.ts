/** What an attempt needs beside the provider: nobody has claimed anything, and no video is looked into. */
import { CATALOGUE } from '../../src/domain/models/index.js';

export const SEARCHABLE = {
  claims: {
    claim: () => Promise.resolve(true),
    owner: () => Promise.resolve(null),
  },
  media: { expect: () => ({ [Symbol.dispose]: () => undefined }) },
  plan: { catalogue: CATALOGUE },
  provider_origin: 'https://api.replicate.com',
};
