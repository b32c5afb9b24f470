/** Where the files of this package are, whether its sources run or its build: `dist/src` mirrors `src`, one folder further down. */
import { fileURLToPath } from 'node:url';

const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/** The path of a file or folder, given as from the package's root. */
export const packageFile = (name: string): string => fileURLToPath(new URL(name, ROOT));
