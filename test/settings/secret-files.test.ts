/** Secrets from files: the text is what the variable would have been, and a mistake never shows a secret. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.js';
import { SECRETS } from '../../src/settings/secret-files.js';
import { testFolder } from '../support/test-folder.js';

/** Of that shape. */
const VALUES: Partial<Record<string, string>> = {
  CODEC_KEYS: `a:${Buffer.alloc(32, 'secret-of').toString('base64')}`,
};
const OTHER = 'a-secret-of-twenty-characters';

function fileWith(text: string): string {
  const { path: folder, remove } = testFolder('secrets');
  onTestFinished(remove);
  const file = path.join(folder, 'secret');
  writeFileSync(file, text);
  return file;
}

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('nothing was refused');
}

describe.each(SECRETS)('%s_FILE', (name) => {
  const variable = `${name}_FILE`;
  const VALUE = VALUES[name] ?? OTHER;

  it('gives the same configuration as the variable, with the line break that editors write', () => {
    expect(loadConfig({ [variable]: fileWith(`${VALUE}\n`) })).toEqual(
      loadConfig({ [name]: VALUE }),
    );
    expect(loadConfig({ [name]: VALUE })).not.toEqual(loadConfig({}));
  });

  it('counts as unset when the file is empty, beside the variable too', () => {
    expect(loadConfig({ [variable]: '/dev/null' })).toEqual(loadConfig({}));
    expect(loadConfig({ [variable]: fileWith(' \n'), [name]: VALUE })).toEqual(
      loadConfig({ [name]: VALUE }),
    );
  });

  it('is refused beside the variable, and neither secret is shown', () => {
    const message = refusal({ [variable]: fileWith('another-secret-of-this-test'), [name]: VALUE });
    expect(message).toMatch(new RegExp(`^${variable}: expected ${name} either`));
    expect(message).not.toContain(VALUE);
    expect(message).not.toMatch(/secret-of/);
  });

  it('names the file that is not there', () => {
    expect(refusal({ [variable]: '/nowhere/secret' })).toBe(
      `${variable}: expected the path of a file with ${name}, got "/nowhere/secret", but there is no such file.`,
    );
  });

  it('checks the text as the variable is checked', () => {
    expect(refusal({ [variable]: fileWith('two words') })).toMatch(/not shown|printable/);
  });
});
