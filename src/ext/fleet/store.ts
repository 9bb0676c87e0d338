// What a fleet needs of the engine that its processes share. All waiting, retrying, beating and
// repairing is done by the client (fleet.ts): a store is eleven small operations.

import { anObjectWith, show } from '../../kit.ts';
import type { FleetLook, LookAsk } from './look.ts';

/**
 * The interface of a store, for authors of stores. `slotvisor/postgres` and `slotvisor/redis` are
 * two of them. `leaseConformance` in `slotvisor/testing` checks another one.
 *
 * A process has one session at a time, and asks for a slot once at a time: a session and the name
 * of a slot together name a request, a place in line, and a lease.
 *
 * Each operation but `look` is one atomic step of the engine, and safe to repeat: the client
 * repeats whatever failed. Each one settles, within about the `ttlMs` of the session: an engine
 * that does not answer is an error. Only the engine's clock decides when a session has expired.
 */
export interface LeaseStore {
  /**
   * Makes a session known. It expires `ttlMs` after it was opened or last beaten.
   *
   * @param session a random id, never used again.
   * @param name what operators see of it.
   */
  open(session: string, name: string, ttlMs: number): Promise<void>;
  /**
   * Renews a session, removes sessions that have expired, and reports what the session should know.
   * `null`: the session is not known any more, and never will be again.
   *
   * @param waiting the slots for which this session waits in line.
   */
  beat(session: string, waiting: readonly string[]): Promise<LeasePulse | null>;
  /**
   * Asks for a slot. Grants it if it is free, if its holder's session is gone and this session is
   * first in line, or if this session holds it already. Each grant draws a fence that is greater
   * than every earlier one of the slot. Otherwise the session is entered in line, at the end. It
   * keeps a place that it has.
   */
  acquire(session: string, ask: LeaseAsk): Promise<AskAnswer>;
  /**
   * Gives a slot back, and grants it to the next in line. Changes nothing unless this session holds
   * it with this fence.
   */
  release(session: string, held: HeldSlot): Promise<void>;
  /** Leaves the line of a slot. If the slot was granted meanwhile, it goes to the next in line. */
  withdraw(session: string, slot: string): Promise<void>;
  /** The slots that this session holds, with their fences. With `slot`: that one alone. */
  holdings(session: string, slot?: string): Promise<ReadonlyMap<string, bigint>>;
  /**
   * Shows the fleet to people: all sessions that are known, and the slots that are held or waited
   * for and whose name contains `ask.q`. Names are in an order of their characters, by bytes or by
   * UTF-16 units.
   *
   * It changes nothing: it opens, renews and removes no session. It may take several steps of the
   * engine, so that a fleet with very many slots holds up no other call: what changes meanwhile is
   * shown as it was or as it is, or is absent. It is called once and not repeated: an error goes to
   * the caller.
   *
   * @param session the present session of this process. `undefined`: it has none.
   */
  look(session: string | undefined, ask: LookAsk): Promise<FleetLook>;
  /** Ends a session: gives back all that it holds, leaves every line, and forgets it. */
  end(session: string): Promise<void>;
  /**
   * Passes on the news of a session as they come. News are hints: they may be lost, doubled and
   * reordered. What counts is read by `beat`.
   *
   * @param broken called when news may have been lost, as after a reconnection.
   * @returns the function that ends it.
   */
  listen(session: string, hear: (news: LeaseNews) => void, broken: () => void): Promise<() => void>;
  /**
   * True for an error that no repetition mends, such as a missing table or a wrong password. The
   * submission is then rejected as `leaseUnavailable`.
   */
  isPermanent(error: unknown): boolean;
  /** Frees what the store has in this process, such as a connection. Called once, at the end. */
  close(): Promise<void>;
}

/**
 * How a slot is asked for.
 *
 * - `try`: now or not at all. It enters no line.
 * - `wait`: waits in line, in the order of arrival.
 * - `urgent`: a replacement. It goes before the line, and the holder is asked to stop. A slot has
 *   at most one: it takes the place of another session's, which hears `superseded`.
 */
export type AskMode = 'try' | 'wait' | 'urgent';

/** The ask of a session for a slot. */
export interface LeaseAsk {
  /** The name of the slot. */
  readonly slot: string;
  /** How it is asked for. */
  readonly mode: AskMode;
}

/**
 * The answer to an ask.
 *
 * - `granted`: the slot is this session's.
 * - `waiting`: the session waits in line. News or a beat tell of the grant. What tells
 *   of a grant with no greater fence than the answer's is late, and counts for nothing.
 * - `busy`: for `try` only. Another session has the slot, or goes before.
 * - `dead`: the session is not known any more.
 */
export type AskAnswer =
  | {
      readonly state: 'granted';
      /** The fence of the grant. */
      readonly fence: bigint;
      /** Another session waits for the slot. */
      readonly contended: boolean;
    }
  | {
      readonly state: 'waiting';
      /** The fence of the present holder. */
      readonly fence: bigint;
    }
  | { readonly state: 'busy' | 'dead' };

/** A slot that a session holds. */
export interface HeldSlot {
  /** The name of the slot. */
  readonly slot: string;
  /** The fence of its grant. */
  readonly fence: bigint;
  /** Another session waits, as far as this process knows: a hint for which way to take. */
  readonly contended: boolean;
}

/**
 * What a session hears.
 *
 * - `granted`: a slot for which it waited is its own.
 * - `contended`: another session waits for a slot that it holds.
 * - `revoked`: a replacement waits for a slot that it holds.
 * - `superseded`: it has no place in line any more. A later replacement took it; where the session
 *   was no replacement, the engine has lost the place, and the client asks again.
 * - `orphan`: the holder of a slot for which it waits is gone. It asks again.
 */
export type LeaseNews =
  | {
      readonly kind: 'granted';
      /** The name of the slot. */
      readonly slot: string;
      /** The fence of the grant. */
      readonly fence: bigint;
      /** Another session waits for the slot. */
      readonly contended: boolean;
    }
  | {
      readonly kind: 'contended' | 'revoked';
      /** The name of the slot. */
      readonly slot: string;
      /** The fence with which this session holds it. */
      readonly fence: bigint;
    }
  | {
      readonly kind: 'superseded' | 'orphan';
      /** The name of the slot. */
      readonly slot: string;
    };

/** The answer to a beat. */
export interface LeasePulse {
  /**
   * Of each slot that this session holds: `contended` or `revoked`, if another session waits for
   * it. Of each slot for which it waits: `granted`, `superseded` or `orphan`, if that is so.
   */
  readonly news: readonly LeaseNews[];
  /** How many slots this session holds in the store. */
  readonly held: number;
  /**
   * In how many ms the first session expires that holds a slot for which this one waits. `null` if
   * there is none.
   */
  readonly nextMs: number | null;
}

const OPERATIONS = [
  'open',
  'beat',
  'acquire',
  'release',
  'withdraw',
  'holdings',
  'look',
  'end',
  'listen',
  'isPermanent',
  'close',
] as const satisfies readonly (keyof LeaseStore)[];

/** @throws OptionError for a store that lacks an operation. */
export function checkStore(store: unknown): void {
  for (const name of OPERATIONS) anObjectWith(name, 'store', `must have the operation ${name}`, store);
}

/** @throws TypeError for what is no answer to an ask. */
export function checkAnswer(answer: AskAnswer): void {
  const { state } = answer;
  if (state === 'busy' || state === 'dead') return;
  if ((state === 'granted' || state === 'waiting') && typeof answer.fence === 'bigint') return;
  throw new TypeError(
    `a store must answer an ask with granted or waiting and a fence, busy, or dead, got ${show(answer)}`,
  );
}
