// The exploration is only as good as what it catches: each of these faults is planted in the machine, and found by name.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SlotMachine } from '../../src/policy/slot.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { type Entry, everything, explore, Violation } from '../support/slot-explorer.ts';

describe('a fault in the slot machine is found', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'a replacement starts before the old body has ended',
      from: "hold.phase = 'stopping';",
      to: "hold.phase = 'stopping'; if (by === 'replace' && this.#next) this.#own(this.#next, hold.request);",
      breaks: /^S1/,
    },
    {
      name: 'a lost lease is forgotten to be lost',
      from: "hold.lease = 'lost';",
      to: '',
      breaks: /^S2/,
    },
    {
      name: 'the wrong end of the line goes first',
      from: 'return this.#next ?? this.#head;',
      to: 'return this.#next ?? this.#tail;',
      breaks: /^S4/,
    },
    {
      name: 'a closed slot forgets its line',
      from: "this.#rejectAll('shuttingDown');",
      to: '',
      breaks: /^S7/,
    },
    {
      name: 'the owner is told to stop twice',
      from: "if (hold.phase !== 'running') return;",
      to: "if (!('owner' in hold)) return;",
      breaks: /^S3: told to stop twice/,
    },
    {
      name: 'a replacement evicts queued work',
      from: "if (this.#next !== null) this.#reject(this.#next, 'superseded', entry);",
      to: "const first = this.#front(); if (first !== null) this.#reject(first, 'superseded', entry);",
      breaks: /^S4: \d \(replace\) evicted/,
    },
    {
      name: 'a spent slot never leaves the table',
      from: "return this.#hold.phase === 'idle' && !this.paused;",
      to: 'return false;',
      breaks: /^S6/,
    },
    {
      name: 'one who leaves stops the body for all',
      from: 'if (hold.participants === 0) this.#stopOwner(by, reason);',
      to: 'this.#stopOwner(by, reason); if (entry.place === "out") hold.participants = 1;',
      breaks: /^S3/,
    },
    {
      name: 'the last one who leaves does not stop the body',
      from: 'if (hold.participants === 0) this.#stopOwner(by, reason);',
      to: '',
      breaks: /^S3: nobody wants it/,
    },
    {
      name: 'a paused slot starts',
      from: 'if (hold.asker !== null) {',
      to: 'if (this.#front() !== null) {',
      breaks: /^S[58]/,
    },
    {
      name: 'the end of an old owner is accepted',
      from: 'hold.owner !== owner',
      to: 'false',
      breaks: /^S8: stale ended/,
    },
    {
      name: 'an old answer of the lease store is accepted',
      from: "if (hold.phase !== 'waiting' || hold.request !== request) return false;",
      to: "if (hold.phase !== 'waiting') return false;",
      breaks: /^S8/,
    },
    {
      name: 'a resumed slot sleeps on',
      from: 'this.paused = false;\n    this.#advance();',
      to: 'this.paused = false;',
      breaks: /^S5/,
    },
    {
      name: 'a denied lease is not asked for again by the next in line',
      from: 'this.#reject(hold.asker, reason, null, error);\n    this.#advance();',
      to: 'this.#reject(hold.asker, reason, null, error);',
      breaks: /^S5/,
    },
    {
      name: 'a keepLatest goes to the end of the line instead of the place it takes',
      from: 'entry.ahead = ahead;\n    entry.behind = behind;',
      to: 'this.#wait(entry); return; entry.ahead = ahead; entry.behind = behind;',
      breaks: /^S4/,
    },
    {
      name: 'the line is torn when the middle of it leaves',
      from: 'else entry.behind.ahead = entry.ahead;',
      to: '',
      breaks: /^S3: 1 ended twice/,
    },
    {
      name: 'a pause does not call off the request',
      from: 'this.paused = true;\n    this.#withdrawUnwanted();',
      to: 'this.paused = true;',
      breaks: /^S6/,
    },
    {
      name: 'a request is not called off when the last one who waited gives up',
      from: 'this.#reject(entry, reason, null);\n    this.#withdrawUnwanted();',
      to: 'this.#reject(entry, reason, null);',
      breaks: /^S6/,
    },
    {
      name: 'a called-off request is not called off',
      from: "this.effects.push({ do: 'withdraw' });",
      to: '',
      breaks: /^S6/,
    },
    {
      name: 'a lease is kept for nobody',
      from: "this.effects.push({ do: hold.lease === 'lost' ? 'forget' : 'release' });",
      to: '',
      breaks: /^S[26]/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/slot.ts', import.meta.url));

  test.for(faults)('$name', ({ breaks, ...fault }) => {
    const { SlotMachine: Faulty } = loadPatched<{ SlotMachine: typeof SlotMachine }>(path, fault);
    const run = () => {
      for (const queueLimit of [2, 1]) explore(() => new Faulty<Entry>(), everything(queueLimit));
    };
    expect(run).toThrow(Violation);
    expect(run).toThrow(breaks);
  });
});
