// A real scrape: an HTTP server with the registry behind it, and the answer read by hand.

import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type OpenMetricsContentType, Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { type Family, keyOf, parseExposition } from './exposition.ts';

export type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

export class Scrape {
  readonly text: string;
  readonly families: readonly Family[];

  constructor(page: string) {
    this.text = page;
    this.families = parseExposition(page);
  }

  /** The value of the series. Undefined if it is absent. `name` is that of the sample. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const key = keyOf(labels);
    return this.families.flatMap(({ samples }) => samples).find((one) => one.name === name && keyOf(one.labels) === key)
      ?.value;
  }

  /** The values of a metric with one label beside `supervisor`. */
  values(name: string, label: string, supervisor = 'default'): Record<string, number> {
    const samples = this.families.find((family) => family.name === name)?.samples ?? [];
    return Object.fromEntries(
      samples
        .filter(({ labels }) => labels.supervisor === supervisor)
        .map(({ labels, value }) => [labels[label], value]),
    );
  }

  /** The values that a label has on any series. */
  words(label: string): Set<string> {
    const samples = this.families.flatMap((family) => family.samples);
    return new Set(samples.flatMap(({ labels }) => labels[label] ?? []));
  }
}

/** Serves the registry until the test has finished. Returns what scrapes it. */
export async function serve(register: AnyRegistry): Promise<() => Promise<Scrape>> {
  const server: Server = createServer((_, response) => {
    void register.metrics().then(
      (page) => response.setHeader('content-type', register.contentType).end(page),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return async () => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, resolve).on('error', reject);
    });
    return new Scrape(await text(response));
  };
}

export const EMPTY = await new Registry().metrics();
