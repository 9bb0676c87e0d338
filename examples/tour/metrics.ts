// The counters of slotvisor/prometheus that have moved between two scrapes.

import { Registry } from 'prom-client';

export type Scrape = ReadonlyMap<string, number>;

/** What `GET /metrics` of a service answers with. */
export const register = new Registry();

/** The values of all counters, by name and label. */
export async function scrape(): Promise<Scrape> {
  const metrics = await register.getMetricsAsJSON();
  const counters = metrics.filter(({ name }) => name.endsWith('_total'));
  return new Map(
    counters.flatMap(({ name, values }) =>
      values.map(({ labels: { supervisor: _, ...labels }, value }) => [`${name}${textOf(labels)}`, value] as const),
    ),
  );
}

function textOf(labels: object): string {
  return Object.entries(labels)
    .map(([name, value]) => `{${name}="${value}"}`)
    .join('');
}

export function drawMoves(before: Scrape, after: Scrape): string[] {
  const moved = [...after].filter(([sample, value]) => value !== before.get(sample));
  return moved.map(([sample, value]) => `${sample.padEnd(52)} ${before.get(sample)} -> ${value}`);
}
