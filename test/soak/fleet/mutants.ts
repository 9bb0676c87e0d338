// Faults to plant in the client and in the stores. A check of a fleet proves something only if it
// finds them.

import type * as fleet from '../../../src/ext/fleet/fleet.ts';
import type * as schema from '../../../src/ext/postgres/schema.ts';
import { type Fault, loadPatched } from '../../support/patched.ts';

export interface Mutant extends Fault {
  readonly of: 'client' | 'postgres';
}

export const MUTANTS = {
  'validity not kept': {
    of: 'client',
    name: 'a lease counts as held for longer than the ttl',
    in: 'times.ts',
    from: 'softMs: ttlMs / 2,',
    to: 'softMs: ttlMs * 3,',
  },
  'validity counted from the answer': {
    of: 'client',
    name: 'a session is good from the answer to its beat on, not from its sending',
    in: 'session.ts',
    from: 'this.#renewed = sent;',
    to: 'this.#renewed = momentOf(this.#clock);',
  },
  'no repair': {
    of: 'client',
    name: 'nothing compares what the store holds with what the process knows',
    in: 'fleet.ts',
    from: 'if (!isMoving && (held < session.size || this.#surpluses === 2))',
    to: 'if (false)',
  },
  'no hold after a clock step': {
    of: 'postgres',
    name: 'sessions are removed right after the clock was set',
    from: 'set expires_at = moment + ttl, spared',
    to: 'set spared',
  },
  'fence drawn before the insert': {
    of: 'postgres',
    name: 'a fence is drawn before its row is there',
    from: `select n, me, 0 from unnest(names) n order by n collate "C"
    on conflict do nothing;
  if found then
    with mine as (
      update \${s}.slot set fence = \${s}.next_fence()
        where name = any (names) and session is not distinct from me and fence = 0`,
    to: `select n, me, -\${s}.next_fence() from unnest(names) n order by n collate "C"
    on conflict do nothing;
  if found then
    with mine as (
      update \${s}.slot set fence = -fence
        where name = any (names) and session is not distinct from me and fence < 0`,
  },
  'reap without the lock': {
    of: 'postgres',
    name: 'expired sessions are looked up without a lock',
    from: 'where expires_at <= clock_timestamp() for update skip locked',
    to: 'where expires_at <= clock_timestamp()',
  },
  'release without the fence': {
    of: 'postgres',
    name: 'a release counts for a later grant too',
    from: 'where name = n and fence = f and session is not distinct from me\n        for update skip locked',
    to: 'where name = n and session is not distinct from me\n        for update skip locked',
  },
  'wanted not raised': {
    of: 'postgres',
    name: 'the holder of a slot is not marked as waited for',
    from: 'set wanted = mode where name = slot_name;',
    to: 'set wanted = wanted where name = slot_name;',
  },
} as const satisfies Record<string, Mutant>;

export type MutantName = keyof typeof MUTANTS;

const source = (path: string): string => new URL(`../../../src/ext/${path}`, import.meta.url).pathname;

/** `fleetLeases`, with the fault in the client. */
export function faultyClient(mutant: Mutant): typeof fleet.fleetLeases {
  return loadPatched<typeof fleet>(source('fleet/fleet.ts'), mutant).fleetLeases;
}

/** The statements that make the schema, with the fault in them. */
export function faultySchema(mutant: Mutant): typeof schema.ddl {
  return loadPatched<typeof schema>(source('postgres/schema.ts'), mutant).ddl;
}
