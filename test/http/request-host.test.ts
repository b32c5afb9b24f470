import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostRefusal, isOwnOrigin } from '../../src/http/request-host.js';

const statusOf = (
  host: string | readonly string[],
  { allowed = [], url = '/' }: { allowed?: readonly string[]; url?: string } = {},
): number | null =>
  hostRefusal(
    { rawHeaders: [host].flat().flatMap((value) => ['Host', value]), url, httpVersion: '1.1' },
    allowed,
  )?.status ?? null;

const byte = fc.integer({ min: 0, max: 255 });
const suffix = fc.constantFrom('', ':', ':80', ':3000', ':65535');

/** One address in the ways that browsers take it. */
const spellings = (bytes: readonly number[]): string[] => {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  const number = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return [
    bytes.join('.'),
    `${bytes.join('.')}.`,
    String(number),
    `0x${number.toString(16)}`,
    `0X${number.toString(16).toUpperCase()}`,
    bytes.map((part) => `0${part.toString(8)}`).join('.'),
    `${String(a)}.${String(number % 2 ** 24)}`,
    `[::ffff:${bytes.join('.')}]`,
    `[0:0:0:0:0:FFFF:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}]`,
  ];
};

describe('a server without keys', () => {
  it('answers for every address of 127.0.0.0/8, however it is spelled, on any port', () => {
    fc.assert(
      fc.property(byte, byte, byte, suffix, (b, c, d, port) => {
        for (const host of spellings([127, b, c, d])) {
          expect([host, statusOf(`${host}${port}`)]).toEqual([host, null]);
        }
      }),
    );
  });

  it('answers for no other address, however it is spelled', () => {
    const elsewhere = byte.filter((first) => first !== 127);
    fc.assert(
      fc.property(elsewhere, byte, byte, byte, suffix, (a, b, c, d, port) => {
        for (const host of spellings([a, b, c, d])) {
          expect([host, statusOf(`${host}${port}`)]).toEqual([host, 403]);
        }
      }),
    );
  });

  it('answers for no name of the internet, and for allowed names only on their ports', () => {
    const varied = fc
      .tuple(fc.domain(), fc.boolean(), fc.constantFrom('', '.'))
      .map(([name, shout, dot]) => ({ name, host: `${shout ? name.toUpperCase() : name}${dot}` }));
    fc.assert(
      fc.property(varied, ({ name, host }) => {
        expect(statusOf(host)).toBe(403);
        expect(statusOf(`${host}:3000`, { allowed: [`not-${name}`, `x.${name}`] })).toBe(403);
        expect(statusOf(`${host}:3000`, { allowed: [name] })).toBe(null);
        expect(statusOf(`${host}:3000`, { allowed: [`${name}:3000`] })).toBe(null);
        expect(statusOf(`${host}:3001`, { allowed: [`${name}:3000`] })).toBe(403);
        expect(statusOf(host, { allowed: [`${name}:3000`] })).toBe(403);
        expect(statusOf(host, { allowed: [`${name}:443`] })).toBe(null);
      }),
    );
  });

  it.each(['localhost', 'LocalHost:3000', 'localhost.', 'clips.localhost:80', '[::1]', '[0::1]:1'])(
    'answers for %s',
    (host) => {
      expect(statusOf(host)).toBe(null);
    },
  );

  it.each([
    ['0.0.0.0:3000', 403],
    ['[::]:3000', 403],
    ['0', 403],
    ['localhost.evil.example', 403],
    ['evil-localhost', 403],
    ['127.0.0.1.evil.example', 403],
    ['localhost..', 403],
    ['.localhost', 403],
    ['[::ffff:8000:1]', 403],
    ['[::7f00:1]', 403],
    ['', 400],
    [' ', 400],
    [':3000', 400],
    ['localhost:x', 400],
    ['localhost:65536', 400],
    ['localhost, evil.example', 400],
    ['localhost@evil.example', 400],
    ['evil.example#.localhost', 400],
    ['evil.example/.localhost', 400],
    ['evil.example\\.localhost', 400],
    ['evil%2eexample', 400],
    ['[::1%lo]', 400],
    ['http://localhost', 400],
    ['1.2.3.4.5', 400],
  ])('does not answer for "%s"', (host, status) => {
    expect(statusOf(host)).toBe(status);
  });

  it('takes exactly one Host, and an absolute target must name an allowed host as well', () => {
    expect(statusOf([])).toBe(400);
    expect(statusOf(['localhost', 'localhost'])).toBe(400);
    expect(statusOf(['localhost', 'evil.example'])).toBe(400);
    expect(statusOf('localhost', { url: 'http://evil.example/v1/jobs' })).toBe(403);
    expect(statusOf('evil.example', { url: 'http://localhost/v1/jobs' })).toBe(403);
    expect(statusOf('localhost', { url: 'HTTPS://evil.example?x' })).toBe(403);
    expect(statusOf('localhost', { url: 'http://a@localhost/' })).toBe(400);
    expect(statusOf('localhost', { url: 'http://127.0.0.1:3000/v1/jobs' })).toBe(null);
    expect(statusOf('localhost', { url: '/v1/jobs?next=http://evil.example/' })).toBe(null);
  });

  it('allows names beyond ASCII and bare IPv6 addresses as a setting has them', () => {
    expect(statusOf('xn--bcher-kva.example', { allowed: ['bücher.example'] })).toBe(null);
    expect(statusOf('[fd00::1]:3000', { allowed: ['fd00::1'] })).toBe(null);
    expect(statusOf('[FD00:0::1]', { allowed: ['[fd00::1]:80'] })).toBe(null);
  });
});

describe('the origin of a page', () => {
  it.each([
    ['https://clips.example', 'clips.example'],
    ['https://clips.example', 'clips.example:443'],
    ['https://clips.example:443', 'clips.example'],
    ['http://clips.example', 'clips.example:80'],
    ['http://Clips.Example:3000', 'clips.example:3000'],
    ['http://[::1]:3000', '[0::1]:3000'],
  ])('%s is that of a server asked as %s', (origin, host) => {
    expect(isOwnOrigin(origin, host)).toBe(true);
  });

  it.each([
    ['https://clips.example', 'clips.example:80'],
    ['http://clips.example', 'clips.example:443'],
    ['https://clips.example:8443', 'clips.example'],
    ['https://clips.example', '127.0.0.1:3000'],
    ['http://localhost:3000', '127.0.0.1:3000'],
    ['https://evil.example', 'clips.example'],
    ['https://evil.example', 'x@evil.example'],
    ['null', 'clips.example'],
    ['', 'clips.example'],
    ['file://', 'clips.example'],
    ['clips://clips.example', 'clips.example'],
    ['https://clips.example', undefined],
  ])('%s is not that of a server asked as %s', (origin, host) => {
    expect(isOwnOrigin(origin, host)).toBe(false);
  });
});
