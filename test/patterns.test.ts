/**
 * Every pattern of the product takes linear time over any text. Lint refuses what it sees at once; here an automaton is made
 * of each pattern, which also finds the exponential ones that look harmless.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from 'recheck';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { clausesOf } from '../src/domain/job/clauses.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Long lists of words, too large for an automaton: they only meet texts of a bounded length (the last test here). */
const BOUNDED = new Set(['src/domain/job/failure-words.ts']);

interface Pattern {
  place: string;
  source: string;
  flags: string;
}

const files = ['src', 'setup'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs)$/.test(name))
    .map((name) => path.join(folder, name)),
);

function patternsOf(file: string): Pattern[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: Pattern[] = [];
  const add = (node: ts.Node, pattern: string, flags: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push({ place: `${file}:${String(line + 1)}`, source: pattern, flags });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      add(node, node.text.slice(1, end), node.text.slice(end + 1));
    }
    if (ts.isNewExpression(node) && node.expression.getText() === 'RegExp') {
      const [pattern, flags] = node.arguments ?? [];
      const isRaw = pattern !== undefined && ts.isTaggedTemplateExpression(pattern);
      const raw = isRaw ? pattern.template.getText().slice(1, -1) : (pattern?.getText() ?? '');
      add(node, raw, flags?.getText().slice(1, -1) ?? '');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** How long a pattern takes over the worst of texts; `unknown` counts as too long. Texts are the same in each run. */
async function speedOf({ source, flags }: Omit<Pattern, 'place'>): Promise<string> {
  const options = { timeout: 60_000, attackTimeout: 1_000, randomSeed: 1 };
  const result = await check(source, flags, options);
  if (result.status === 'safe') return 'linear';
  return result.status === 'vulnerable' ? result.complexity.summary : result.status;
}

describe('a pattern', () => {
  it.each([
    // What once recognized SVG, and stood still over `<!---->` repeated.
    [/^(?:<\?xml[^]*?)?(?:<!--[^]*?-->\s*|<!doctype svg[^>]*>\s*)*<svg/i, 'exponential'],
    [/^(?:a|a)*b/, 'exponential'],
    [/^(?:a|ab|b)*c/, 'exponential'],
    [/^(?:\w+\s?)*$/, 'exponential'],
    [/a.*b/, 'polynomial'],
    [/\s+$/, 'polynomial'],
  ])('that takes more is found out: %s is %s', async ({ source, flags }, speed) => {
    expect(await speedOf({ source, flags })).toContain(speed);
  });

  it('takes linear time, each that is in the product', async () => {
    const all = files.filter((file) => !BOUNDED.has(file)).flatMap(patternsOf);
    expect(all.length).toBeGreaterThan(100);
    const slow: string[] = [];
    for (const pattern of all) {
      const speed = await speedOf(pattern);
      if (speed !== 'linear') slow.push(`${pattern.place} ${pattern.source} ${speed}`);
    }
    expect(slow).toEqual([]);
  });

  it('of a family of words meets at most 4,000 characters of any answer', () => {
    const texts = ['a'.repeat(1e6), 'error '.repeat(2e5), '\n'.repeat(1e6), '。'.repeat(1e6)];
    for (const text of texts) {
      expect(clausesOf(text).join('').length).toBeLessThanOrEqual(4_001);
    }
  });
});
