import { describe, expect, it } from 'vitest';
import { parseGenerate, parseSwitches } from '../../src/terminal/arguments.js';

const NOTHING = {
  plan: null,
  out: null,
  dry_run: false,
  json: false,
  attach: null,
  job_id: null,
  final: null,
  clips: null,
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

  it('may ask for the finals of a draft, of all of its clips or of some', () => {
    expect(parseGenerate(['--final', 'rough', '--job-id', 'fine'])).toEqual({
      kind: 'run',
      options: { ...NOTHING, final: 'rough', job_id: 'fine' },
    });
    expect(parseGenerate(['--final', 'rough', '--clips', '7,0-2, 4'])).toEqual({
      kind: 'run',
      options: { ...NOTHING, final: 'rough', clips: [7, 0, 1, 2, 4] },
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
    [['a.json', '--final', 'x'], 'got both'],
    [['--attach', 'y', '--final', 'x'], 'got both'],
    [['--dry-run', '--final', 'x'], 'got both'],
    [['--clips', '0'], '--clips with --final'],
    [['--final', 'x', '--clips', '0,2-'], 'indexes of clips'],
    [['--final', 'x', '--clips', '5-2,1'], 'indexes of clips'],
    [['--final', 'x', '--clips', '0-999999'], 'indexes of clips'],
    [['--final', '../x'], '"../x"'],
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
