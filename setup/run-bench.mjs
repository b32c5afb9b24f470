/** `npm run bench`: every benchmark below bench/, side by side in one run. Words after `--` are vitest's own. */
import { runVitest } from './vitest.mjs';

export async function main(words) {
  const { code, stopped } = await runVitest(['bench', '--run', ...words]);
  return stopped === null ? code : 143;
}
