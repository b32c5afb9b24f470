// A process with children that look into the files named as arguments, one each, with all the time they want. Prints
// the children's process ids as JSON once each has its file.
import { createPool } from '../../dist/src/adapters/media/pool.js';

const files = process.argv.slice(2);
const pool = createPool({
  size: files.length,
  patience: 0,
  limits: { cpu_seconds: 600, wall_seconds: 600, megabytes: 2048 },
});
const looking = files.map((file) => pool.run('measure', { file }).catch(() => undefined));
while (pool.pids().length < files.length) await new Promise((resolve) => setTimeout(resolve, 1));
console.log(JSON.stringify(pool.pids()));
await Promise.all(looking);
// At rest, and held by nothing but this.
setInterval(() => undefined, 60_000);
