/** What a search for a lost prediction needs beside the provider: nobody has claimed anything. */
import { CATALOGUE } from '../../src/domain/models/index.js';

export const SEARCHABLE = {
  claims: {
    claim: () => Promise.resolve(true),
    owner: () => Promise.resolve(null),
  },
  plan: { catalogue: CATALOGUE },
  provider_origin: 'https://api.replicate.com',
};
