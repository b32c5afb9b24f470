/** Preloaded into a process: no hard link can be made, as on FAT and on many network and container file systems. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const refusal = (from, to) =>
  Object.assign(new Error(`EPERM: operation not permitted, link '${from}' -> '${to}'`), {
    code: 'EPERM',
    syscall: 'link',
  });

fs.link = (from, to, done) => process.nextTick(done, refusal(from, to));
fs.linkSync = (from, to) => {
  throw refusal(from, to);
};
fs.promises.link = (from, to) => Promise.reject(refusal(from, to));
syncBuiltinESMExports();
