/** Paths of the checkout. Set-up writes only to its `.cache`, `dist` and `node_modules`. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const inRoot = (...parts) => path.join(root, ...parts);
export const cache = inRoot('.cache');
