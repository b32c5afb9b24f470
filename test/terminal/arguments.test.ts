import { describe, expect, it } from 'vitest';
import { parseGenerate, parseSwitches } from '../../src/terminal/arguments.js';

const NOTHING = {
  plan: null,
  out: null,
  dry_run: false,
  json: false,
  attach: null,
  job_id: null,
};

describe('the words after generate', () => {
  it('may be none: the example, in a folder of its own', () => {
    expect(parseGenerate([])).toEqual({ kind: 'run', options: NOTHING });
  });

  it('may come in any order', () => {
    expect(parseGenerate(['--json', 'plan.json', '--out', 'there', '--job-id=a_1'])).toEqual({
      kind: 'run',
      options: { ...NOTHING, plan: 'plan.json', out: 'there', json: true, job_id: 'a_1' },
    });
    expect(parseGenerate(['--attach', 'a_1'])).toEqual({
      kind: 'run',
      options: { ...NOTHING, attach: 'a_1' },
    });
  });

  it('--help wins', () => {
    expect(parseGenerate(['-h'])).toEqual({ kind: 'help' });
  });

  it.each([
    [['--bogus'], '--bogus'],
    [['--out'], '--out'],
    [['--out='], '--out'],
    [['a.json', 'b.json'], 'one plan file'],
    [['a.json', '--attach', 'x'], 'got both'],
    [['--attach', 'x', '--job-id', 'y'], 'got both'],
    [['--attach', 'x', '--dry-run'], 'got both'],
    [['--job-id', 'no spaces'], '"no spaces"'],
    [['--attach', '../x'], '"../x"'],
    [['--job-id', 'x'.repeat(65)], '--job-id'],
  ])('%j is refused in one sentence', (words, part) => {
    const parsed = parseGenerate(words);
    expect(parsed.kind).toBe('refused');
    if (parsed.kind !== 'refused') return;
    expect(parsed.message).toContain(part);
    expect(parsed.message).not.toContain('\n');
  });
});

describe('commands without options', () => {
  it('refuse every word they do not know', () => {
    expect(parseSwitches(['--json'], ['json'])).toEqual({ ok: true, on: new Set(['json']) });
    expect(parseSwitches(['x'], [])).toEqual({
      ok: false,
      message: 'expected no options, got "x"',
    });
  });
});
