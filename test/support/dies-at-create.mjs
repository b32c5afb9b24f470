/**
 * Preloaded into a worker: it is killed at a point of a create that the file `dies` in its DATA_DIR names, as often as it
 * comes there. `before-note`, `after-note`: around what is written down before; `before-answer`: when the id is to be.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

const NOTE = /\/creates\/[^/]+\/\d+\/\d+$/;
const { open, link, writeFile } = fs.promises;

function dieAt(point) {
  const file = path.join(process.env.DATA_DIR ?? '', 'dies');
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === point)
    process.kill(process.pid, 'SIGKILL');
}
/** The place that a file is written for. */
const placeOf = (file) => String(file).replace(/\.[0-9a-f-]{36}\.part$/, '');

fs.promises.open = async (file, ...more) => {
  if (NOTE.test(placeOf(file))) dieAt('before-note');
  return open(file, ...more);
};
fs.promises.link = async (file, target) => {
  await link(file, target);
  if (NOTE.test(target)) dieAt('after-note');
};
fs.promises.writeFile = async (file, ...more) => {
  const place = placeOf(file);
  if (place.endsWith('.answer') && NOTE.test(place.slice(0, -'.answer'.length)))
    dieAt('before-answer');
  return writeFile(file, ...more);
};
syncBuiltinESMExports();
