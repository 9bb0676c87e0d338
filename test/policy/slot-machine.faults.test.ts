// Each fault is planted in the slot machine. The exploration must find it and name the broken
// invariant.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SlotMachine } from '../../src/policy/slot-machine.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { type Entry, everything, explore, Violation } from '../support/slot-explorer.ts';

describe('the exploration of a slot finds the fault:', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'a replacement starts before the old body has ended',
      from: "ownership.phase = 'stopping';",
      to: "ownership.phase = 'stopping'; if (by === 'replace' && this.#replacement) this.#own(this.#replacement, ownership.request);",
      breaks: /^S1/,
    },
    {
      name: 'a lost lease is treated as held',
      from: "ownership.lease = 'lost';",
      to: '',
      breaks: /^S2/,
    },
    {
      name: 'the newest entry of the queue goes first',
      from: 'return this.#replacement ?? this.#head;',
      to: 'return this.#replacement ?? this.#tail;',
      breaks: /^S4/,
    },
    {
      name: 'a closed slot keeps its queue',
      from: "this.#rejectAll('shuttingDown');",
      to: '',
      breaks: /^S7/,
    },
    {
      name: 'the owner is stopped twice',
      from: "if (ownership.phase !== 'running') return;",
      to: "if (!('owner' in ownership)) return;",
      breaks: /^S3: the owner was stopped twice/,
    },
    {
      name: 'a replacement evicts queued work',
      from: "if (this.#replacement !== null) this.#rejectQueued(this.#replacement, 'superseded', entry);",
      to: "const first = this.#candidate(); if (first !== null) this.#rejectQueued(first, 'superseded', entry);",
      breaks: /^S4: \d \(replace\) evicted/,
    },
    {
      name: 'an idle slot never leaves the table',
      from: "return this.#ownership.phase === 'idle' && !this.#paused;",
      to: 'return false;',
      breaks: /^S6/,
    },
    {
      name: 'a canceled participant stops the body of the others',
      from: 'if (ownership.participants === 0) this.#stopOwner(by, reason);',
      to: 'this.#stopOwner(by, reason); if (entry.place === "done") ownership.participants = 1;',
      breaks: /^S3/,
    },
    {
      name: 'the last canceled participant does not stop the body',
      from: 'if (ownership.participants === 0) this.#stopOwner(by, reason);',
      to: '',
      breaks: /^S3: a body without participants was not stopped/,
    },
    {
      name: 'a paused slot starts',
      from: 'if (ownership.asker !== null) {',
      to: 'if (this.#candidate() !== null) {',
      breaks: /^S[58]/,
    },
    {
      name: 'the end of an old owner is accepted',
      from: 'ownership.owner !== owner',
      to: 'false',
      breaks: /^S8: stale ended/,
    },
    {
      name: 'an old answer of the lease store is accepted',
      from: "if (ownership.phase !== 'waiting' || ownership.request !== request) return false;",
      to: "if (ownership.phase !== 'waiting') return false;",
      breaks: /^S8/,
    },
    {
      name: 'a resumed slot starts nothing',
      from: 'this.#paused = false;\n    this.#advance();',
      to: 'this.#paused = false;',
      breaks: /^S5/,
    },
    {
      name: 'the next entry does not request a lease that was denied to the entry before it',
      from: 'this.#rejectQueued(ownership.asker, reason, null, error);\n    this.#advance();',
      to: 'this.#rejectQueued(ownership.asker, reason, null, error);',
      breaks: /^S5/,
    },
    {
      name: 'a keepLatest goes to the end of the queue, not to the place of the entry that it supersedes',
      from: 'entry.ahead = ahead;\n    entry.behind = behind;',
      to: 'this.#wait(entry); return; entry.ahead = ahead; entry.behind = behind;',
      breaks: /^S4/,
    },
    {
      name: 'the queue loses entries when an entry in its middle leaves',
      from: 'else entry.behind.ahead = entry.ahead;',
      to: '',
      breaks: /^S3: 1 ended twice/,
    },
    {
      name: 'a pause does not withdraw the lease request',
      from: 'this.#paused = true;\n    this.#withdrawUnwanted();',
      to: 'this.#paused = true;',
      breaks: /^S6/,
    },
    {
      name: 'a lease request is not withdrawn when the last waiting entry is canceled',
      from: 'this.#rejectQueued(entry, reason, null);\n    this.#withdrawUnwanted();',
      to: 'this.#rejectQueued(entry, reason, null);',
      breaks: /^S6/,
    },
    {
      name: 'a lease request is withdrawn in the state only, without its effect',
      from: "this.effects.push({ do: 'cancelRequest' });",
      to: '',
      breaks: /^S6/,
    },
    {
      name: 'a lease is kept although nothing waits',
      from: "this.effects.push({ do: ownership.lease === 'lost' ? 'dropLease' : 'release' });",
      to: '',
      breaks: /^S[26]/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/slot-machine.ts', import.meta.url));

  for (const { breaks, ...fault } of faults)
    test(fault.name, () => {
      const { SlotMachine: Faulty } = loadPatched<{ SlotMachine: typeof SlotMachine }>(path, fault);
      const run = () => {
        for (const queueLimit of [2, 1]) explore(() => new Faulty<Entry>(), everything(queueLimit));
      };
      expect(run).toThrow(Violation);
      expect(run).toThrow(breaks);
    });
});
