import { describe, expect, it } from 'vitest';
import { ago, increase, safeLink } from '../../src/web/format.js';

describe('figures', () => {
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
