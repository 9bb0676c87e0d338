// The default of the lease port: every slot is this process's own. Grants in the same turn, for ever, to whoever asks.

import type { Lease, SlotLeases } from '../model/lease.ts';

export const LOCAL_LEASE: Lease = Object.freeze({
  fence: 0n,
  lost: new AbortController().signal,
  release: () => {},
});

export const localLeases: SlotLeases = Object.freeze({ acquire: () => LOCAL_LEASE });
