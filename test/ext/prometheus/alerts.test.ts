// The alert rules: of the form that Prometheus reads, and on metrics and labels that exist.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../support/example.ts';
import { knownNames } from './known.ts';
import { labelsIn, parsePromql, unknownNames } from './promql.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const text = readFileSync(`${ROOT}examples/prometheus/alerts.yml`, 'utf8');
const { groups } = parse(text, { strict: true }) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const known = await knownNames();

test('the file has one group, and each alert has a name of its own', () => {
  expect(Object.keys(parse(text) as object)).toEqual(['groups']);
  expect(groups.map((group) => [group.name, Object.keys(group)])).toEqual([['slotvisor', ['name', 'rules']]]);
  expect(rules.length).toBeGreaterThan(15);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

describe.each(rules)('$alert', (rule) => {
  test('has the fields of a rule, and no others', () => {
    const { alert, for: time, labels, annotations, ...others } = rule;
    expect(Object.keys(others)).toEqual(['expr']);
    expect(alert).toMatch(/^Slotvisor[A-Z][A-Za-z]+$/);
    if (time !== undefined) expect(time).toMatch(/^[1-9]\d*[smh]$/);
    expect(Object.keys(labels)).toEqual(['severity']);
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(Object.keys(annotations)).toEqual(['summary', 'description']);
    for (const words of Object.values(annotations)) expect(words).toMatch(/\.$/);
  });

  test('asks only for metrics, labels and words that a scrape has', () => {
    expect(unknownNames(rule.expr, known)).toEqual([]);
  });

  test('names only labels in its texts that its metrics have', () => {
    const labels = labelsIn(rule.expr, known);
    const named = Object.values(rule.annotations).flatMap((words) =>
      [...words.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
    );
    expect(named.filter((label) => !labels.has(label as string))).toEqual([]);
    for (const words of Object.values(rule.annotations))
      expect(words.replace(/\{\{ \$(?:labels\.\w+|value(?: \| humanize\w*)?) \}\}/g, '')).not.toMatch(/[{}$]/);
  });

  test('lasts, or looks back, so that one odd scrape raises no alarm', () => {
    expect(rule.for !== undefined || /\[\d+m\]/.test(rule.expr)).toBe(true);
  });
});

test('the README says of each alert what it means and what to do, and of no other', () => {
  const readme = readFileSync(`${ROOT}src/ext/prometheus/README.md`, 'utf8');
  const rows = [...readme.matchAll(/^\| `(Slotvisor\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, alert]) => alert);
  expect(rows).toEqual(rules.map(({ alert }) => alert));
});

test('the rules are about every metric that may mean trouble', () => {
  const asked = new Set(rules.flatMap(({ expr }) => parsePromql(expr).selectors.map(({ metric }) => metric)));
  const calm = ['slotvisor_submissions_total', 'slotvisor_retries_total', 'slotvisor_slots'];
  const troubling = [...known.keys()].filter((name) => !/_(?:sum|count|duration_seconds_bucket)$/.test(name));
  expect(troubling.filter((name) => !asked.has(name))).toEqual(calm);
});
