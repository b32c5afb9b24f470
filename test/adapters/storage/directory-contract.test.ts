/** The storage port over a directory. */
import { afterAll, describe } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';
import { storeContract } from '../../support/store-contract.js';
import { testFolder } from '../../support/test-folder.js';

const own = testFolder('directory-contract');
afterAll(own.remove);

describe('a directory', () => {
  storeContract(() => Promise.resolve(createDirectoryStore(own.path)));
});
