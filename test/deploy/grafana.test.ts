/** Dashboard and alerts as files. That their figures exist is in test/scenarios/worker-metrics.test.ts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAILURE_KINDS } from '../../src/domain/job/failures.js';
import { ROOT } from '../support/processes.js';
import { alerts, dashboard, missingFrom, readQuery, written } from '../support/promql.js';

const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

describe('an expression', () => {
  it('of dashboard and alerts is PromQL', () => {
    expect(written.length).toBeGreaterThan(50);
    expect(written.filter(({ query }) => query.mistakes.length > 0)).toEqual([]);
    for (const { place, query } of written) expect(query.selectors.length, place).not.toBe(0);
  });

  it('that is none is found out, and so are names and labels that no process has', () => {
    expect(readQuery('sum(rate(a[5m])').mistakes).not.toEqual([]);
    expect(readQuery('sum by (le (a)').mistakes).not.toEqual([]);
    const figures = [{ name: 'a_total', labels: { status: '200' } }];
    const of = (expression: string): string[] =>
      missingFrom('', figures, [{ place: 'here', query: readQuery(expression) }]);
    expect(of('sum by (status) (rate(a_total{status=~"5..|200"}[5m])) > 0')).toEqual([]);
    expect(of('rate(b_total[5m])')).toEqual(['here: b_total']);
    expect(of('a_total{kind="x"}')).toEqual(['here: a_total{kind}', 'here: kind="x"']);
    expect(of('a_total{status="201"}')).toEqual(['here: status="201"']);
    expect(of('max by (kind) (a_total)')).toEqual(['here: a_total by kind']);
  });

  it('has the labels that its legend or its text shows', () => {
    for (const { place, query, legend } of written) {
      const shown = [...legend.matchAll(/\{\{ ?(?!\$value)(\w+) ?\}\}/g)].map(([, name]) => name);
      if (query.labels !== null) expect(query.labels, place).toEqual(expect.arrayContaining(shown));
    }
  });

  it('names outcomes that clips can have', () => {
    const outcomes = written
      .flatMap(({ query }) => query.selectors.flatMap(({ matchers }) => matchers))
      .filter(({ label }) => label === 'outcome')
      .flatMap(({ value }) => value.split('|'));
    expect(outcomes.length).toBeGreaterThan(0);
    expect([...FAILURE_KINDS, 'succeeded', 'canceled']).toEqual(expect.arrayContaining(outcomes));
  });
});

describe('an alert', () => {
  it.each(alerts)('$alert says how bad it is, what happened, and what to do', (alert) => {
    expect(['warning', 'critical']).toContain(alert.labels['severity']);
    expect(alert.annotations['summary']).toMatch(/\.$/);
    expect(alert.annotations['description']).toMatch(/\.$/);
    expect(textOf('docs/operations.md').includes(`\`${alert.alert}\``)).toBe(true);
  });
});

describe('the dashboard', () => {
  it('has panels of different names and places, all within its width', () => {
    const panels = dashboard.panels as unknown as {
      id: number;
      title: string;
      gridPos: { x: number; y: number; w: number; h: number };
    }[];
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y } }) => `${String(x)},${String(y)}`);
    expect(new Set(places).size).toBe(panels.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it.each(['dashboard.json', 'alerts.yaml'])('and the alerts are in the chart too: %s', (name) => {
    const inChart = `deploy/helm/durable-clip-generator/files/${name}`;
    expect(textOf(inChart), `cp deploy/grafana/${name} ${inChart}`).toBe(
      textOf(`deploy/grafana/${name}`),
    );
  });
});
