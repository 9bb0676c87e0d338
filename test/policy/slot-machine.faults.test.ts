// The exploration is only as good as what it catches: each of these faults is planted in the machine, and found by name.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SlotMachine } from '../../src/policy/slot-machine.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { type Entry, everything, explore, Violation } from '../support/slot-explorer.ts';

describe('a fault in the slot machine is found', () => {
  const faults: readonly (Fault & { readonly breaks: RegExp })[] = [
    {
      name: 'a replacement starts before the old body has ended',
      from: "ownership.phase = 'stopping';",
      to: "ownership.phase = 'stopping'; if (by === 'replace' && this.#replacement) this.#own(this.#replacement, ownership.request);",
      breaks: /^S1/,
    },
    {
      name: 'a lost lease is forgotten to be lost',
      from: "ownership.lease = 'lost';",
      to: '',
      breaks: /^S2/,
    },
    {
      name: 'the wrong end of the line goes first',
      from: 'return this.#replacement ?? this.#head;',
      to: 'return this.#replacement ?? this.#tail;',
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
      from: "if (ownership.phase !== 'running') return;",
      to: "if (!('owner' in ownership)) return;",
      breaks: /^S3: told to stop twice/,
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
      name: 'one who leaves stops the body for all',
      from: 'if (ownership.participants === 0) this.#stopOwner(by, reason);',
      to: 'this.#stopOwner(by, reason); if (entry.place === "done") ownership.participants = 1;',
      breaks: /^S3/,
    },
    {
      name: 'the last one who leaves does not stop the body',
      from: 'if (ownership.participants === 0) this.#stopOwner(by, reason);',
      to: '',
      breaks: /^S3: nobody wants it/,
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
      name: 'a resumed slot sleeps on',
      from: 'this.#paused = false;\n    this.#advance();',
      to: 'this.#paused = false;',
      breaks: /^S5/,
    },
    {
      name: 'a denied lease is not asked for again by the next in line',
      from: 'this.#rejectQueued(ownership.asker, reason, null, error);\n    this.#advance();',
      to: 'this.#rejectQueued(ownership.asker, reason, null, error);',
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
      from: 'this.#paused = true;\n    this.#withdrawUnwanted();',
      to: 'this.#paused = true;',
      breaks: /^S6/,
    },
    {
      name: 'a request is not called off when the last one who waited gives up',
      from: 'this.#rejectQueued(entry, reason, null);\n    this.#withdrawUnwanted();',
      to: 'this.#rejectQueued(entry, reason, null);',
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
      from: "this.effects.push({ do: ownership.lease === 'lost' ? 'forget' : 'release' });",
      to: '',
      breaks: /^S[26]/,
    },
  ];

  const path = fileURLToPath(new URL('../../src/policy/slot-machine.ts', import.meta.url));

  test.for(faults)('$name', ({ breaks, ...fault }) => {
    const { SlotMachine: Faulty } = loadPatched<{ SlotMachine: typeof SlotMachine }>(path, fault);
    const run = () => {
      for (const queueLimit of [2, 1]) explore(() => new Faulty<Entry>(), everything(queueLimit));
    };
    expect(run).toThrow(Violation);
    expect(run).toThrow(breaks);
  });
});
