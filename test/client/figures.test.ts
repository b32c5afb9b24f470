import { describe, expect, it } from 'vitest';
import { clock, roughly, seconds, spent, time, usd } from '../../src/client/figures.js';

describe('figures', () => {
  it.each([
    [5, '5 s'],
    [5.2, '5.2 s'],
    [5.0416, '5.04 s'],
    [0, '0 s'],
    [null, 'unknown'],
  ])('write %s seconds as "%s"', (value, text) => {
    expect(seconds(value)).toBe(text);
  });

  it.each([
    [0.35, 0, '$0.35'],
    [0.35, 2, 'at least $0.35'],
    [0, 1, 'at least $0.00'],
    [null, 1, 'unknown'],
  ])('write %s dollars spent, and %d costs unknown, as "%s"', (value, unknown, text) => {
    expect(spent(value, unknown)).toBe(text);
  });

  it.each([
    [20, '$20.00'],
    [0.35, '$0.35'],
    [0.042, '$0.042'],
    [0.0042, '$0.0042'],
    [0, '$0.00'],
    [null, 'unknown'],
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

  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1:00'],
    [3_723, '1:02:03'],
    [-3, '0 s'],
  ])('tell a time of %d seconds as %s', (value, text) => {
    expect(time(value)).toBe(text);
  });
});
