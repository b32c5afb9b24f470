/** Anything can be thrown; what it says is one text. */
import { describe, expect, it } from 'vitest';
import { errorMessage } from '../../../src/domain/values/error-message.js';

describe('errorMessage', () => {
  it('takes the message of an error, of any class, without its name', () => {
    expect(errorMessage(new TypeError('expected a text'))).toBe('expected a text');
  });

  it.each([
    ['a text', 'a text'],
    [404, '404'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('writes out what is no error: %j', (thrown, text) => {
    expect(errorMessage(thrown)).toBe(text);
  });
});
