/** A test that lacks its program is skipped on a person's machine, and an error where CI is set. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SetupError } from '../../setup/say.mjs';
import { isCi, skips } from '../../setup/test-extras.mjs';

describe('tests that lack their program', () => {
  it.each(['true', '1', 'github'])('are an error where CI is %s', (CI) => {
    expect(isCi({ CI })).toBe(true);
    const skipping = (): void => {
      skips('the tests of the page', 'there is no Chromium', { CI });
    };
    expect(skipping).toThrow(SetupError);
    expect(skipping).toThrow('the tests of the page cannot run: there is no Chromium');
  });

  it.each([{}, { CI: '' }, { CI: 'false' }])('are skipped, and it is said, with %j', (env) => {
    const error = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => {
      error.mockRestore();
    });
    skips('the tests of the page', 'there is no Chromium', env);
    expect(error.mock.calls.flat()).toEqual([
      'set-up: the tests of the page are skipped: there is no Chromium',
    ]);
  });
});
