/** Paths of files of this package, for its sources and its build: `dist/src` mirrors `src`, one folder deeper. */
import { fileURLToPath } from 'node:url';

const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/** `name` is relative to the package's root. */
export const packageFile = (name: string): string => fileURLToPath(new URL(name, ROOT));
