/**
 * A secret may be the content of a file, as orchestrators mount them: `REPLICATE_API_TOKEN_FILE` names the file whose text is
 * REPLICATE_API_TOKEN. Nothing else differs: the text is checked as the variable's, and an empty file counts as unset.
 */
import { ConfigError } from './config-error.js';
import type { Env } from './config-error.js';
import { readTextFile } from './text-file.js';

/** Every secret that config.ts reads. Temporal's certificates and the AWS SDK have variables for files of their own. */
export const SECRETS = [
  'REPLICATE_API_TOKEN',
  'API_KEYS',
  'TEMPORAL_API_KEY',
  'CODEC_KEYS',
] as const;

const MAX_BYTES = 64 * 1024;

/** The environment, with the secrets that files hold. */
export function withSecretFiles(env: Env): Env {
  const fromFiles = SECRETS.flatMap((name) => {
    const value = secretOf(name, env);
    return value === null ? [] : [[name, value] as const];
  });
  return fromFiles.length === 0 ? env : { ...env, ...Object.fromEntries(fromFiles) };
}

function secretOf(name: string, env: Env): string | null {
  const variable = `${name}_FILE`;
  const file = env[variable]?.trim() ?? '';
  if (file === '') return null;
  const read = readTextFile(file, MAX_BYTES);
  if (!read.ok) {
    throw new ConfigError(
      `${variable}: expected the path of a file with ${name}, got "${file}", but ${read.problem.text}.`,
    );
  }
  const value = read.text.trim();
  if (value === '') return null;
  if ((env[name]?.trim() ?? '') !== '') {
    throw new ConfigError(
      `${variable}: expected ${name} either itself or in a file, got both; unset one of the two.`,
    );
  }
  return value;
}
