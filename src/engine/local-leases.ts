// The default of `leases`: every slot belongs to this process, so every request is granted at once.

import { abortController } from '../kernel/abort-controller.ts';
import type { Lease, SlotLeases } from '../model/lease.ts';

export const LOCAL_LEASE: Lease = Object.freeze({
  fence: 0n,
  lost: abortController().signal,
  release: () => {},
});

export const localLeases: SlotLeases = Object.freeze({ ttlMs: undefined, acquire: () => LOCAL_LEASE });
