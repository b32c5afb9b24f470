import { describe, expect, it } from 'vitest';
import { isLoopback, staysOnThisMachine } from '../../../src/domain/values/loopback.js';

const LOOPBACK = [
  'localhost',
  'LOCALHOST',
  'a.localhost',
  '127.0.0.1',
  '127.8.9.1',
  '::1',
  '[::1]',
];
const MAPPED = ['::ffff:127.0.0.1', '[::ffff:7f00:1]'];
const ANY = ['0.0.0.0', '::', '[::]', 'ip6-localhost', 'localhost.'];
const OTHER = [
  '128.0.0.1',
  '7f00:1::1',
  '::2',
  'localhost.example',
  'alocalhost',
  '.localhost',
  '',
];

describe('a host', () => {
  it.each([...LOOPBACK, ...MAPPED])('%s is loopback, and stays on this machine', (host) => {
    expect([isLoopback(host), staysOnThisMachine(host)]).toEqual([true, true]);
  });

  it.each(ANY)(
    '%s stays on this machine, but a server that listens there is not loopback',
    (host) => {
      expect([isLoopback(host), staysOnThisMachine(host)]).toEqual([false, true]);
    },
  );

  it.each(OTHER)('"%s" is neither', (host) => {
    expect([isLoopback(host), staysOnThisMachine(host)]).toEqual([false, false]);
  });
});
