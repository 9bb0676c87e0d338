// What is around the service: the upstream of each tenant, the queue of orders, the database. Here
// they are a few lines in memory.

import { setTimeout as wait } from 'node:timers/promises';

/** Tenant -> how many of its records were copied. */
export const copied = new Map<string, number>();

/** Fetches the next page of a tenant's records. Some calls fail, as an upstream does. */
export async function fetchPage(_tenant: string, signal: AbortSignal): Promise<number> {
  await wait(20, undefined, { signal });
  if (Math.random() < 0.1) throw new Error('upstream answered 503');
  return 10;
}

export async function savePage(tenant: string, records: number): Promise<void> {
  await wait(5);
  copied.set(tenant, (copied.get(tenant) ?? 0) + records);
}

export interface Order {
  readonly id: number;
}

export const orders = {
  accepted: 0,
  shipped: 0,
  waiting: [] as Order[],
};

export function accept(): Order {
  orders.accepted += 1;
  const order = { id: orders.accepted };
  orders.waiting.push(order);
  return order;
}

/** Resolves with the next order, or with none after a while. */
export async function nextOrder(signal: AbortSignal): Promise<Order | undefined> {
  if (orders.waiting.length === 0) await wait(10, undefined, { signal });
  return orders.waiting.shift();
}

export async function ship(_order: Order): Promise<void> {
  await wait(2);
  orders.shipped += 1;
}

export async function removeExpired(signal: AbortSignal): Promise<void> {
  await wait(300, undefined, { signal });
}

export async function writeReport(day: string, signal: AbortSignal): Promise<string> {
  await wait(50, undefined, { signal });
  return `report of ${day}: ${orders.shipped} orders shipped, ${copied.size} tenants copied`;
}
