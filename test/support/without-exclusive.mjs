/** Preloaded into a process: neither can a hard link be made, nor a folder be renamed, as on what shows a bucket as files. */
import './without-links.mjs';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { rename } = fs.promises;
fs.promises.rename = async (from, to) => {
  if (!fs.statSync(from).isDirectory()) return rename(from, to);
  throw Object.assign(new Error(`ENOTSUP: operation not supported, rename '${from}' -> '${to}'`), {
    code: 'ENOTSUP',
    syscall: 'rename',
  });
};
syncBuiltinESMExports();
