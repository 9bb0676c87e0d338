// A lease store that says when a request is in line, and when a beat was late. It loses news.

import type { LeaseNews, LeaseStore } from 'slotvisor/fleet';
import type { HistoryLine } from './history.ts';

/** A line without what the writer adds. */
type Unstamped<L> = L extends HistoryLine ? Omit<L, 'at' | 'pid'> : never;
export type Say = (line: Unstamped<HistoryLine>) => void;

export interface Watch {
  readonly say: Say;
  readonly now: () => number;
  readonly ttlMs: number;
  /** Decides for each news whether it is lost. */
  readonly losesNews: () => boolean;
}

interface Place {
  readonly session: string;
  readonly isUrgent: boolean;
  isInLine: boolean;
}

/** A session whose beats are this late comes last in its lines. */
const LATE = 0.3;

export function watched(store: LeaseStore, { say, now, ttlMs, losesNews }: Watch): LeaseStore {
  const places = new Map<string, Place>();
  /** When the last beat was sent. The store got it then or later. */
  let beaten = now();

  const leaves = (slot: string): void => {
    if (places.delete(slot)) say({ is: 'leaves', slot });
  };

  return {
    async open(session, name, ttl) {
      beaten = now();
      await store.open(session, name, ttl);
    },
    async beat(session, waiting) {
      const sent = now();
      const pulse = await store.beat(session, waiting);
      if (now() - beaten > ttlMs * LATE) say({ is: 'late', since: beaten });
      beaten = sent;
      return pulse;
    },
    async acquire(session, ask) {
      const { slot, mode } = ask;
      const isUrgent = mode === 'urgent';
      let place = places.get(slot);
      if (place?.session !== session || (isUrgent && !place.isUrgent)) {
        place = { session, isUrgent, isInLine: false };
        places.set(slot, place);
        say({ is: 'asks', slot, mode });
      }
      const answer = await store.acquire(session, ask);
      if (answer.state === 'waiting' && !place.isInLine && places.get(slot) === place) {
        place.isInLine = true;
        say({ is: 'waits', slot });
      } else if (answer.state === 'busy') leaves(slot);
      return answer;
    },
    release(session, held) {
      leaves(held.slot);
      return store.release(session, held);
    },
    withdraw(session, slot) {
      leaves(slot);
      return store.withdraw(session, slot);
    },
    holdings: (session, slot) => store.holdings(session, slot),
    look: (session, ask) => store.look(session, ask),
    end(session) {
      for (const slot of [...places.keys()]) leaves(slot);
      return store.end(session);
    },
    listen(session, hear, broken) {
      const hearSome = (news: LeaseNews): void => {
        if (!losesNews()) hear(news);
      };
      return store.listen(session, hearSome, broken);
    },
    isPermanent: (error) => store.isPermanent(error),
    close: () => store.close(),
  };
}
