/** PromQL by its own grammar: which figures an expression reads, with which labels, and what it groups by. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ROOT } from './processes.js';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

interface Matcher {
  label: string;
  operator: string;
  value: string;
}

export interface Selector {
  name: string;
  matchers: Matcher[];
}

export interface Query {
  expression: string;
  /** Parts that are no PromQL. */
  mistakes: string[];
  selectors: Selector[];
  /** Each `by (…)`, with the figures below it. */
  groups: { labels: string[]; of: string[] }[];
  /** Labels that the result has; null: those of the figures. */
  labels: string[] | null;
}

/** Variables of Grafana stand for a time. */
const plain = (expression: string): string => expression.replaceAll('$__rate_interval', '5m');

export function readQuery(written: string): Query {
  const expression = plain(written);
  const query: Query = { expression, mistakes: [], selectors: [], groups: [], labels: null };
  const textOf = ({ from, to }: SyntaxNode): string => expression.slice(from, to);
  const unquoted = (node: SyntaxNode): string => textOf(node).slice(1, -1);
  const all = (node: SyntaxNode, name: string): SyntaxNode[] => {
    const found: SyntaxNode[] = node.name === name ? [node] : [];
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      found.push(...all(child, name));
    }
    return found;
  };
  const namesIn = (node: SyntaxNode): string[] => all(node, 'Identifier').map(textOf);
  const top = parser.parse(expression).topNode;
  query.mistakes = all(top, '⚠').map((node) => textOf(node) || `at ${String(node.from)}`);
  query.selectors = all(top, 'VectorSelector').map((node) => ({
    name: namesIn(node)[0] ?? '',
    matchers: all(node, 'UnquotedLabelMatcher').map((matcher) => {
      const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) =>
        all(matcher, name).at(0),
      );
      return {
        label: label ? textOf(label) : '',
        operator: operator ? textOf(operator) : '',
        value: value ? unquoted(value) : '',
      };
    }),
  }));
  query.groups = all(top, 'AggregateExpr').map((node) => ({
    labels: groupingOf(node).map(textOf),
    of: namesIn(node),
  }));
  query.labels = query.groups[0]?.labels.filter((label) => label !== 'le') ?? null;
  return query;

  function groupingOf(aggregate: SyntaxNode): SyntaxNode[] {
    const modifier = aggregate.getChild('AggregateModifier');
    return modifier === null ? [] : all(modifier, 'LabelName');
  }
}

const textOfFile = (name: string): string =>
  readFileSync(path.join(ROOT, 'deploy/grafana', name), 'utf8');

interface Panel {
  title: string;
  type: string;
  targets?: { expr: string; legendFormat: string }[];
}

export interface Alert {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export const dashboard = JSON.parse(textOfFile('dashboard.json')) as { panels: Panel[] };
export const alerts = (
  parse(textOfFile('alerts.yaml')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

/** Every expression, by where it is written. */
export const written: { place: string; query: Query; legend: string }[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      place: `panel ${title}`,
      query: readQuery(expr),
      legend: legendFormat,
    })),
  ),
  ...alerts.map(({ alert, expr, annotations }) => ({
    place: `alert ${alert}`,
    query: readQuery(expr),
    legend: Object.values(annotations)
      .join(' ')
      .replaceAll(/\$labels\.(\w+)/g, '$1'),
  })),
];

/** Labels that Prometheus adds to every figure that it reads. */
const TARGET_LABELS = ['instance', 'job'];

/** What of the expressions is not in these figures: names, labels, and values that are compared with `=`. */
export function missingFrom(
  text: string,
  figures: readonly { name: string; labels: Record<string, string> }[],
  queries: readonly { place: string; query: Query }[] = written,
): string[] {
  const labelsOf = new Map<string, Set<string>>();
  const values = new Set<string>();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) counter$/gm)) {
    labelsOf.set(name, new Set(TARGET_LABELS));
  }
  for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) gauge$/gm)) {
    labelsOf.set(name, new Set(TARGET_LABELS));
  }
  for (const { name, labels } of figures) {
    const known = labelsOf.get(name) ?? new Set(TARGET_LABELS);
    labelsOf.set(name, known);
    for (const [label, value] of Object.entries(labels)) {
      known.add(label);
      values.add(`${label}=${value}`);
    }
  }
  const missing: string[] = [];
  for (const { place, query } of queries) {
    const expect = (isThere: boolean | undefined, what: string): void => {
      if (isThere !== true) missing.push(`${place}: ${what}`);
    };
    for (const { name, matchers } of query.selectors) {
      expect(labelsOf.has(name), name);
      for (const { label, operator, value } of matchers) {
        expect(labelsOf.get(name)?.has(label), `${name}{${label}}`);
        if (operator === '=') expect(values.has(`${label}=${value}`), `${label}="${value}"`);
      }
    }
    for (const { labels, of } of query.groups) {
      for (const name of of) {
        for (const label of labels) expect(labelsOf.get(name)?.has(label), `${name} by ${label}`);
      }
    }
  }
  return missing;
}
