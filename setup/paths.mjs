/** Where things are, and nothing else. What set-up makes stays in `.cache`, `dist` and `node_modules` of the checkout. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const inRoot = (...parts) => path.join(root, ...parts);
export const cache = inRoot('.cache');
