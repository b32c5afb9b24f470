/**
 * `node setup/api-keys.mjs FILE`, the `keys` service of docker-compose.yml: FILE has the keys of API_KEYS, or of the file that
 * API_KEYS_FILE names, when there are any; else the one that it has already; else a new one. A key is never printed.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const { API_KEYS = '', API_KEYS_FILE = '' } = process.env;
const given = (API_KEYS || (API_KEYS_FILE && readFileSync(API_KEYS_FILE, 'utf8'))).trim();
if (given !== '') write(given);
else if (!existsSync(file)) write(randomBytes(24).toString('hex'));

function write(keys) {
  writeFileSync(`${file}.draft`, `${keys}\n`, { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}
