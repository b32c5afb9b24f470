import { describe, expect, it } from 'vitest';
import {
  ago,
  clock,
  increase,
  roughly,
  safeLink,
  seconds,
  spent,
  usd,
} from '../../src/web/format.js';

describe('figures', () => {
  it.each([
    [5, '5 s'],
    [5.2, '5.2 s'],
    [5.0416, '5.04 s'],
    [0, '0 s'],
    [null, '—'],
  ])('write %s seconds as "%s"', (value, text) => {
    expect(seconds(value)).toBe(text);
  });

  it.each([
    [0.35, 0, '$0.35'],
    [0.35, 2, 'at least $0.35'],
    [0, 1, 'at least $0.00'],
    [null, 1, '—'],
  ])('write %s dollars spent, and %d costs unknown, as "%s"', (value, unknown, text) => {
    expect(spent(value, unknown)).toBe(text);
  });

  it.each([
    [20, '$20.00'],
    [0.35, '$0.35'],
    [0.042, '$0.042'],
    [0, '$0.00'],
    [null, '—'],
  ])('write %s dollars as "%s": an unknown price is never zero', (value, text) => {
    expect(usd(value)).toBe(text);
  });

  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [750, '12:30'],
    [3723, '1:02:03'],
    [-4, '0:00'],
  ])('show %s seconds on the clock as %s', (value, text) => {
    expect(clock(value)).toBe(text);
  });

  it.each([
    [3, 'a few seconds'],
    [32, 'about 30 s'],
    [50, 'about 1 min'],
    [125, 'about 2 min'],
    [3600, 'about 1 h'],
    [4300, 'about 1 h 10 min'],
  ])('guess %s seconds as "%s"', (value, text) => {
    expect(roughly(value)).toBe(text);
  });

  it('name an increase only where there is one', () => {
    expect(increase(0.2)).toBe('none');
    expect(increase(18.2)).toBe('+18 %');
  });

  it.each([
    [4, 'just now'],
    [45, '45 seconds ago'],
    [120, '2 minutes ago'],
    [7200, '2 hours ago'],
    [200_000, '2 days ago'],
  ])('tell the age of %s seconds as "%s"', (age, text) => {
    const now = Date.parse('2026-01-31T12:00:00Z');
    expect(ago(new Date(now - age * 1000).toISOString(), now)).toBe(text);
  });
});

describe('links and commands', () => {
  it('follow http and https, and nothing that could run', () => {
    expect(safeLink('https://replicate.com/p/x')).toBe('https://replicate.com/p/x');
    expect(safeLink('javascript:alert(1)')).toBeNull();
    expect(safeLink('data:text/html,x')).toBeNull();
    expect(safeLink(null)).toBeNull();
  });
});
