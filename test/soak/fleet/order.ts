// What the conductor and its processes agree on.

import type { MutantName } from './mutants.ts';

export interface WorkerOrder {
  readonly store: 'postgres' | 'ioredis' | 'node-redis';
  /** Of the store, by way of the proxy of this process. */
  readonly url: string;
  /** Of the database with the resource, which no fault reaches. */
  readonly resourceUrl: string;
  readonly ttlMs: number;
  readonly slots: number;
  readonly seed: number;
  /** The part of the news that is lost, from 0 to 1. */
  readonly lostNews: number;
  /** A fault in the client. */
  readonly mutant?: MutantName | undefined;
}

export const slotOf = (index: number): string => `slot ${index}`;

const KINDS = ['resident', 'job', 'rival'] as const;
export type Kind = (typeof KINDS)[number];
/** What runs in a slot. Rivals come now and then, the others always. */
export const kindOf = (index: number): Kind => KINDS[index % KINDS.length] as Kind;

/** CLOCK_MONOTONIC in ms: one clock for all processes of a machine. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

/** The resource that the slots protect, and a row for each write that it took, in their order. */
export const RESOURCE = `
  create table resource (slot text primary key, fence bigint not null default 0);
  create table written (id bigint generated always as identity primary key, slot text not null, fence bigint not null)`;

/** A write that the fence guards. */
export const WRITE = `
  with taken as (update resource set fence = $2 where slot = $1 and fence <= $2 returning slot)
  insert into written (slot, fence) select slot, $2 from taken returning id`;
