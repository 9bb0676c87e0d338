// examples/prometheus/grafana.json is a dashboard whose queries ask only for what a scrape has.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/example.ts';
import { knownNames } from './known.ts';
import { labelsIn, parsePromql, unknownNames } from './promql.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly datasource: object }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

const dashboard = JSON.parse(readFileSync(`${ROOT}examples/prometheus/grafana.json`, 'utf8')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ ...target, title: panel.title })));
const known = await knownNames();

test('the data source and the supervisors are variables, and every query uses both', () => {
  expect(dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
    'datasource: datasource',
    'supervisor: query',
  ]);
  const source = { type: 'prometheus', uid: `\${datasource}` };
  for (const { datasource } of [...panels, ...targets]) expect(datasource).toEqual(source);
  for (const { expr, title } of targets)
    for (const { metric, matchers } of parsePromql(expr).selectors)
      expect(matchers, `${title}: ${metric}`).toContainEqual({
        label: 'supervisor',
        operator: '=~',
        value: '$supervisor',
      });
});

test('the supervisors that can be chosen are those of a metric that is always there', () => {
  const { definition } = dashboard.templating.list.at(-1) ?? {};
  expect(definition).toBe('label_values(slotvisor_open, supervisor)');
  expect(known.get('slotvisor_open')?.has('supervisor')).toBe(true);
});

test.each(targets)('$title: $expr asks only for what a scrape has', ({ expr, legendFormat }) => {
  expect(unknownNames(expr, known)).toEqual([]);
  const labels = labelsIn(expr, known);
  const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label as string);
  expect(named.filter((label) => !labels.has(label))).toEqual([]);
  const kept = parsePromql(expr).labels;
  expect(named.filter((label) => !kept.includes(label), 'the legend names labels that the query keeps')).toEqual([]);
});

test('every metric is on the dashboard', () => {
  const asked = new Set(targets.flatMap(({ expr }) => parsePromql(expr).selectors.map(({ metric }) => metric)));
  const metrics = new Set([...known.keys()].map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
  expect([...metrics].filter((name) => !asked.has(name) && !asked.has(`${name}_bucket`))).toEqual([]);
});

test('panels have an id of their own, a title and a description, and do not overlap', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  for (const { title, description } of panels) expect(description, title).toMatch(/\.$/);
  const cells = new Set<string>();
  for (const { title, gridPos } of dashboard.panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(cells.has(`${x},${y}`), title).toBe(false);
        cells.add(`${x},${y}`);
      }
  }
});

test('the watched slots have a row of their own, at the end', () => {
  const row = dashboard.panels.findIndex(({ title }) => title === 'Watched slots');
  const below = dashboard.panels.slice(row + 1);
  expect(dashboard.panels[row]?.type).toBe('row');
  expect(below.flatMap(({ targets: its = [] }) => its.map(({ expr }) => /slotvisor_\w+/.exec(expr)?.[0]))).toEqual([
    'slotvisor_slot_owner_seconds',
    'slotvisor_slot_waiting',
    'slotvisor_slot_retries',
  ]);
});
