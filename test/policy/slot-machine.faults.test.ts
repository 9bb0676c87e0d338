// Each fault is planted in the slot machine, or in a file that it is made of. The exploration must
// find it and name the broken invariant.

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SlotMachine } from '../../src/policy/slot-machine.ts';
import { type Fault, loadPatched } from '../support/patched.ts';
import { everything, explore } from '../support/slot-explorer.ts';
import type { Entry } from '../support/slot-world.ts';

interface Planted extends Fault {
  readonly breaks: RegExp;
}

const ownership: readonly Planted[] = [
  {
    name: 'a replacement starts before the old body has ended',
    from: "ownership.phase = 'stopping';",
    to: "ownership.phase = 'stopping'; if (by === 'replace' && this.#line.replacement) this.#own(this.#line.replacement, ownership.request);",
    breaks: /^S1/,
  },
  {
    name: 'the owner is stopped twice',
    from: "if (ownership.phase !== 'running') return;\n    ownership.phase = 'stopping';",
    to: "if (!('owner' in ownership)) return;\n    ownership.phase = 'stopping';",
    breaks: /^S3: the owner was stopped twice/,
  },
  {
    name: 'the end of an old owner is accepted',
    from: "if (!('owner' in ownership) || ownership.owner !== owner) return null;",
    to: "if (!('owner' in ownership)) return null;",
    breaks: /^S8: ended was accepted/,
  },
  {
    name: 'an idle slot never leaves the table',
    from: "return this.#ownership.phase === 'idle' && !this.#paused;",
    to: 'return false;',
    breaks: /^S6: isIdle is false/,
  },
  {
    name: 'a paused slot starts',
    from: 'if (ownership.asker !== null && next !== null) {',
    to: 'if (next !== null) {',
    breaks: /^S8: the lease of a withdrawn request was kept/,
  },
  {
    name: 'a paused slot keeps the lease for the next owner',
    from: 'if (isKept && next !== null && !this.#paused) {',
    to: 'if (isKept && next !== null) {',
    breaks: /^handover: the lease was kept/,
  },
  {
    name: 'a resumed slot starts nothing',
    from: 'this.#paused = false;\n    this.#advance();',
    to: 'this.#paused = false;',
    breaks: /^S5: work waits in an idle slot/,
  },
];

const stops: readonly Planted[] = [
  {
    name: 'a replacement waits for an owner that is not stopped',
    from: "this.#urge();\n        this.#stopOwner('replace', undefined);",
    to: 'this.#urge();',
    breaks: /^S3: the owner was not stopped\nafter:.*submit replace$/,
  },
  {
    name: 'a cancel of the slot does not stop the owner',
    from: "this.#stopOwner('slot', reason);",
    to: '',
    breaks: /^S3: the owner was not stopped\nafter:.*slotCancel$/,
  },
  {
    name: 'a canceled owner that is alone is not stopped',
    from: 'this.#stopOwner(by, reason); // it has',
    to: '// it has',
    breaks: /^S3: the owner was not stopped\nafter:.*leave 0$/,
  },
  {
    name: 'the last joined entry that leaves waits for the end of the body',
    from: '(entry === owner && flight.participants === 1)',
    to: 'flight.participants === 1',
    breaks: /^S3: 1 was not detached/,
  },
];

const line: readonly Planted[] = [
  {
    name: 'the newest entry of the queue goes first',
    in: 'waiting-line.ts',
    from: 'return this.replacement ?? this.#head;',
    to: 'return this.replacement ?? this.#tail;',
    breaks: /^names: 1, not 0, has the slot/,
  },
  {
    name: 'the queue loses entries when an entry in its middle leaves',
    in: 'waiting-line.ts',
    from: 'else behind.ahead = ahead;',
    to: '',
    breaks: /^S3: 1 \(queue\) rejected \w+, expected none/,
  },
  {
    name: 'a keepLatest goes to the end of the queue, not to the place of the entry that it supersedes',
    in: 'waiting-line.ts',
    from: 'this.#link(entry, ahead, behind);',
    to: 'this.append(entry);',
    breaks: /^S4/,
  },
  {
    name: 'a dropIfRunning waits behind others',
    in: 'admission.ts',
    from: "return slot.phase === 'running' || slot.phase === 'stopping' || hasWaiting(slot);",
    to: "return slot.phase === 'running' || slot.phase === 'stopping';",
    breaks: /^S5: dropIfRunning was answered append/,
  },
  {
    name: 'a withdrawn request makes a slot busy for dropIfRunning',
    in: 'admission.ts',
    from: "return slot.phase === 'running' || slot.phase === 'stopping' || hasWaiting(slot);",
    to: "return slot.phase !== 'idle' || hasWaiting(slot);",
    breaks: /^S5: dropIfRunning was answered slotBusy/,
  },
  {
    name: 'a replacement evicts queued work',
    from: "if (replacement !== null) this.#reject(replacement, 'superseded', by);",
    to: "if (this.#line.first !== null) this.#reject(this.#line.first, 'superseded', by);",
    breaks: /^S3: 0 \(queue\) rejected superseded by 1 \(replace\), expected none/,
  },
  {
    name: 'a newer replacement keeps the older one',
    from: "if (replacement !== null) this.#reject(replacement, 'superseded', by);",
    to: '',
    breaks: /^S3: \d was not rejected, because superseded/,
  },
  {
    name: 'a waiting keepLatest survives a newer replacement',
    from: "if (latest !== null) this.#reject(latest, 'superseded', by);",
    to: '',
    breaks: /^S3: \d was not rejected, because superseded\nafter:.*submit replace$/,
  },
  {
    name: 'the oldest entry that counts to the limit is not the one that is dropped',
    from: 'this.#line.oldest(counted < this.queueLength);',
    to: 'this.#line.oldest(false);',
    breaks: /^S3: 0 \(queue\) rejected queueFull by 2 .*expected 1/,
  },
];

const flights: readonly Planted[] = [
  {
    name: 'a leader that leaves the queue frees its place',
    from: 'if (flight === null || flight.participants === 1) {',
    to: 'if (flight === null || flight.participants === 1 || entry === leader) {',
    breaks: /^S3: 1 \(join\) rejected canceled, expected none/,
  },
  {
    name: 'the last participant that leaves the queue keeps the place',
    from: 'if (flight === null || flight.participants === 1) {',
    to: 'if (flight === null) {',
    breaks: /^S4: \[0\] wait, expected \[\]/,
  },
  {
    name: 'those that joined survive the rejection of their flight',
    in: 'departure.ts',
    from: 'if (flight === null || flight.participants === 0) this.#goOn(leader);',
    to: 'this.#goOn(leader);',
    breaks: /^S3: 1 was not rejected/,
  },
  {
    name: 'a leader that has left is rejected with its flight',
    in: 'departure.ts',
    from: 'const one = firstOf(leader) as E;',
    to: "const one = leader.place === 'taken' ? (firstOf(leader) as E) : leader; leader.place = 'taken';",
    breaks: /^S3: 0 \(\w+\) rejected \w+, expected 1 \(join\)/,
  },
  {
    name: 'those that joined are rejected before the leader',
    in: 'departure.ts',
    from: 'const one = firstOf(leader) as E;',
    to: 'const one = flight?.first ?? (firstOf(leader) as E);',
    breaks: /^S3: 1 \(join\) rejected \w+, expected 0/,
  },
  {
    name: 'a leader leaves twice',
    from: 'if (hasLeft(entry)) return;',
    to: '',
    breaks: /^S8: leave out of turn/,
  },
  {
    name: 'a join goes to an owner that is asked to stop',
    from: "const leader = (this.phase === 'running' ? this.owner : this.#line.first) as E;",
    to: 'const leader = (this.owner ?? this.#line.first) as E;',
    breaks: /^S3: the count of participants is wrong/,
  },
  {
    name: 'a join goes to the end of the line',
    from: "const leader = (this.phase === 'running' ? this.owner : this.#line.first) as E;",
    to: "const leader = (this.phase === 'running' ? this.owner : [...this.#line].at(-1)) as E;",
    breaks: /^S3: the count of participants is wrong/,
  },
  {
    name: 'a join waits alone behind the line',
    in: 'admission.ts',
    from: "return slot.phase === 'running' || hasWaiting(slot) ? 'join'",
    to: "return slot.phase === 'running' ? 'join'",
    breaks: /^S3: join was answered append/,
  },
  {
    name: 'a canceled participant stops the body of the others',
    from: 'if (flight.participants === 0) this.#stopOwner(by, reason);',
    to: 'this.#stopOwner(by, reason);',
    breaks: /^S3: the body of others was stopped/,
  },
  {
    name: 'the last canceled participant does not stop the body',
    from: 'if (flight.participants === 0) this.#stopOwner(by, reason);',
    to: '',
    breaks: /^S3: the owner was not stopped\nafter:.*leave 1$/,
  },
  {
    name: 'a participant that leaves a stopped body gets its own cause',
    from: '...(stop ?? { by, reason }) });',
    to: 'by, reason });',
    breaks: /^S3: \d was detached by caller/,
  },
  {
    name: 'a busy slot names a leader that has left',
    from: 'return entry && firstOf(entry);',
    to: 'return entry;',
    breaks: /^names: 0, not 1, has the slot/,
  },
  {
    name: 'a leader that has left is still the first participant',
    in: 'flight.ts',
    from: 'return flight?.leaderLeft === true ? flight.first : leader;',
    to: 'return leader;',
    breaks: /^S3: 0 \(queue\) rejected leaseUnavailable, expected 1 \(join\)/,
  },
  {
    name: 'a flight loses those that joined after its last one left',
    in: 'flight.ts',
    from: 'if (behind === null) this.#last = ahead;\n    else behind.ahead = ahead;',
    to: 'if (behind !== null) behind.ahead = ahead;',
    breaks: /^S3: \[\] joined 0, expected \[2\]/,
  },
];

const requests: readonly Planted[] = [
  {
    name: 'an old answer of the lease store is accepted',
    from: "if (ownership.phase === 'idle' || ownership.request !== request) return false;",
    to: "if (ownership.phase === 'idle') return false;",
    breaks: /^S8: granted was accepted/,
  },
  {
    name: 'two requests have the same number',
    from: 'this.#requests += 1;',
    to: 'this.#requests = 1;',
    breaks: /^S8: two requests have the same number/,
  },
  {
    name: 'an old denial is accepted',
    from: "if (ownership.phase === 'idle' || ownership.request !== request) return;\n    if ('owner' in ownership) {",
    to: "if (ownership.phase === 'idle') return;\n    if ('owner' in ownership) {",
    breaks: /^S8: denied out of turn/,
  },
  {
    name: 'the next entry does not request a lease that was denied to the entry before it',
    from: 'if (refused !== null && isQueued(refused)) this.#reject(refused, reason, null, error);\n    this.#advance();',
    to: 'if (refused !== null && isQueued(refused)) this.#reject(refused, reason, null, error);',
    breaks: /^S5: work waits in an idle slot/,
  },
  {
    name: 'a pause does not withdraw the lease request',
    from: 'this.#paused = true;\n    this.#withdrawUnwanted();',
    to: 'this.#paused = true;',
    breaks: /^S6: a lease request is pending/,
  },
  {
    name: 'a lease request is not withdrawn when the last waiting entry is canceled',
    from: 'this.#reject(leader, reason, null);\n      this.#withdrawUnwanted();',
    to: 'this.#reject(leader, reason, null);',
    breaks: /^S6: a lease request is pending/,
  },
  {
    name: 'a lease request is withdrawn in the state only, without its effect',
    from: "this.effects.push({ do: 'cancelRequest' });",
    to: '',
    breaks: /^S6: a lease request is pending/,
  },
  {
    name: 'the store does not learn of a replacement that comes while the lease is requested',
    from: 'this.#wait(entry);\n        this.#urge();',
    to: 'this.#wait(entry);',
    breaks: /^urge: the store does not know/,
  },
  {
    name: 'the store does not learn of a replacement that takes over the request of an owner',
    from: 'this.#urge();\n      this.#withdrawUnwanted();',
    to: 'this.#withdrawUnwanted();',
    breaks: /^urge: the store does not know/,
  },
  {
    name: 'a request that a replacement began is urged',
    from: "urged: policy === 'replace' };",
    to: 'urged: false };',
    breaks: /^S8: urged without need/,
  },
  {
    name: 'a request is urged twice',
    from: 'ownership.urged = true;',
    to: '',
    breaks: /^S8: urged without need/,
  },
  {
    name: 'the answer superseded rejects the entry that asked, not the replacement',
    from: "asker !== null && reason === 'superseded' ? this.#line.replacement : asker;",
    to: 'asker;',
    breaks: /^S3: 0 \(queue\) rejected superseded, expected 1 \(replace\)/,
  },
  {
    name: 'the answer superseded to a withdrawn request rejects a replacement',
    from: "asker !== null && reason === 'superseded'",
    to: "reason === 'superseded'",
    breaks: /^S3: \d \(replace\) rejected superseded, expected none/,
  },
  {
    name: 'a denial rejects the replacement that did not ask',
    from: "asker !== null && reason === 'superseded' ? this.#line.replacement : asker;",
    to: 'asker && this.#line.first;',
    breaks: /^S3: 1 \(replace\) rejected \w+, expected 0/,
  },
  {
    name: 'a request names the policy of an entry that does not ask',
    from: 'const { policy } = asker;',
    to: "const policy = 'queue';",
    breaks: /^S4: 0 asked/,
  },
];

const leases: readonly Planted[] = [
  {
    name: 'a lease is kept although nothing waits',
    from: "if (lease !== 'none' && !this.#isLocal) this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });",
    to: '',
    breaks: /^S6: a lease is held without an owner/,
  },
  {
    name: 'a lost lease is not given back at the end of its owner',
    from: "if (lease !== 'none' && !this.#isLocal) this.effects",
    to: "if (lease !== 'none' && lease !== 'lost') this.effects",
    breaks: /^S6: a lease is held without an owner/,
  },
  {
    name: 'a contended lease is handed over although a replacement waits here',
    from: '(!contended || this.hasReplacement)',
    to: '!contended',
    breaks: /^handover: the lease was not kept/,
  },
  {
    name: 'a contended lease is kept for the queue',
    from: '(!contended || this.hasReplacement)',
    to: 'true',
    breaks: /^handover: the lease was kept/,
  },
  {
    name: 'the next owner gets the lease of a body that was given up',
    from: "lease === 'held' && !bodyAlive &&",
    to: "lease === 'held' &&",
    breaks: /^handover: the lease was kept/,
  },
  {
    name: 'the lease of a body that was given up is released at once',
    from: "if (lease !== 'none' && !this.#isLocal) this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });",
    to: "if (lease !== 'none') this.effects.push({ do: 'release' });",
    breaks: /^S6: release, but the body is alive/,
  },
  {
    name: 'the lease of a suspended body that was given up is released at once',
    from: "this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });\n    ownership.lease",
    to: "this.effects.push({ do: 'release' });\n    ownership.lease",
    breaks: /^S6: release, but the body is alive/,
  },
  {
    name: 'the lease of a dead body is set aside',
    from: "if (lease !== 'none' && !this.#isLocal) this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });",
    to: "if (lease !== 'none') this.effects.push({ do: 'setAside' });",
    breaks: /^S6: setAside, but the body is dead/,
  },
  {
    name: 'a revoked lease is kept for the next owner',
    from: "ownership.lease = 'revoked';",
    to: '',
    breaks: /^handover: the lease was kept/,
  },
  {
    name: 'an owner whose lease is revoked goes on',
    from: "this.#supersedeFor(null);\n    this.#stopOwner('replace', undefined);",
    to: 'this.#supersedeFor(null);',
    breaks: /^S2: the lease is revoked, and the owner goes on/,
  },
  {
    name: 'a replacement survives one in another process',
    from: 'this.#supersedeFor(null);',
    to: "if (this.#line.latest) this.#reject(this.#line.latest, 'superseded', null);",
    breaks: /^S3: \d was not rejected, because superseded\nafter:.*submit replace, .*revoked$/,
  },
  {
    name: 'a waiting keepLatest survives a replacement in another process',
    from: 'this.#supersedeFor(null);',
    to: "if (this.#line.replacement) this.#reject(this.#line.replacement, 'superseded', null);",
    breaks: /^S3: \d was not rejected, because superseded\nafter:.*submit keepLatest, .*revoked$/,
  },
];

const suspension: readonly Planted[] = [
  {
    name: 'a lost lease is treated as held',
    from: "ownership.lease = 'lost';",
    to: '',
    breaks: /^S8: lost out of turn/,
  },
  {
    name: 'an owner whose lease is lost goes on',
    from: "this.effects.push({ do: 'suspend', owner });",
    to: '{}',
    breaks: /^S11: the lease is lost, and the owner goes on/,
  },
  {
    name: 'an owner that resumes is stopped',
    from: "ownership.phase === 'running' && owner.resumes && !ownership.finishing",
    to: 'false',
    breaks: /^S11: an owner that resumes was stopped/,
  },
  {
    name: 'an owner that does not resume is suspended',
    from: "ownership.phase === 'running' && owner.resumes && !ownership.finishing",
    to: "ownership.phase === 'running' && !ownership.finishing",
    breaks: /^S11: the owner was suspended/,
  },
  {
    name: 'an owner that finishes is suspended',
    from: 'owner.resumes && !ownership.finishing',
    to: 'owner.resumes',
    breaks: /^S11: the owner was suspended/,
  },
  {
    name: 'a lost lease is released before proof of end',
    from: "this.effects.push({ do: 'suspend', owner });",
    to: "this.effects.push({ do: 'suspend', owner }, { do: 'release' });",
    breaks: /^S11: a lease was given back before proof of end/,
  },
  {
    name: 'a suspended owner asks for a lease before proof of end',
    from: "this.effects.push({ do: 'suspend', owner });",
    to: "this.effects.push({ do: 'suspend', owner }); this.suspended(owner, false);",
    breaks: /^S11: a lease was given back before proof of end/,
  },
  {
    name: 'a lost lease is not given back after proof of end',
    from: "this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });\n    ownership.lease",
    to: 'ownership.lease',
    breaks: /^S2: a lease was requested while one is held/,
  },
  {
    name: 'a suspended owner does not ask for a lease',
    from: "ownership.request = this.#request(owner, 'queue');",
    to: '',
    breaks: /^S11: a suspended owner does not wait for a lease/,
  },
  {
    name: 'a suspended owner goes on without a grant',
    from: "ownership.request = this.#request(owner, 'queue');",
    to: "ownership.request = this.#request(owner, 'queue'); this.effects.push({ do: 'resume', owner });",
    breaks: /^S11: resumed without a grant/,
  },
  {
    name: 'a suspended owner stays suspended after a grant',
    from: "if (ownership.phase === 'running') this.effects.push({ do: 'resume', owner: ownership.owner });",
    to: '',
    breaks: /^S11: a suspended owner does not wait for a lease/,
  },
  {
    name: 'a grant resumes an owner that was stopped',
    from: "if (ownership.phase === 'running') this.effects.push({ do: 'resume'",
    to: "this.effects.push({ do: 'resume'",
    breaks: /^S3: resume after a stop/,
  },
  {
    name: 'the grant of a lease that the owner has is accepted again',
    from: "if (ownership.lease !== 'requested') return false;",
    to: '',
    breaks: /^S8: granted was accepted/,
  },
  {
    name: 'a suspended owner that was stopped is stopped again by a denial',
    from: "ownership.lease = 'none';",
    to: "ownership.lease = 'none'; ownership.phase = 'running';",
    breaks: /^S3: the owner was stopped twice/,
  },
  {
    name: 'a suspended owner goes on after a denial',
    from: "this.#stopOwner('leaseLost', error);",
    to: '',
    breaks: /^S11: a suspended owner does not wait for a lease/,
  },
  {
    name: 'the request of an owner that ended is forgotten',
    from: "if (lease === 'requested') {",
    to: "if (lease === 'requested' && next === null) return joined;\n    if (lease === 'requested') {",
    breaks: /^S10: the phase is idle, expected waiting/,
  },
  {
    name: 'the request of an owner that ended is not withdrawn',
    from: 'this.#urge();\n      this.#withdrawUnwanted();',
    to: 'this.#urge();',
    breaks: /^S6: a lease request is pending/,
  },
  {
    name: 'the lease of an owner that was refused one is released',
    from: "if (lease !== 'none' && !this.#isLocal) this.effects.push",
    to: 'if (!this.#isLocal) this.effects.push',
    breaks: /^S2: release, but no lease is held/,
  },
  {
    name: 'the proof that a stopped owner has no body asks for a lease',
    from: "if (ownership.lease !== 'lost' || ownership.phase !== 'running') return;",
    to: "if (ownership.lease !== 'lost') return;",
    breaks: /^S8: suspended out of turn/,
  },
];

const shutdown: readonly Planted[] = [
  {
    name: 'a closed slot admits submissions',
    from: "this.#closed ? 'shuttingDown' : admit(this, policy, limits)",
    to: 'admit(this, policy, limits)',
    breaks: /^S7: a closed slot admitted a submission/,
  },
  {
    name: 'a closed slot keeps entries that do not finish',
    from: '[...this.#line].filter(({ finishes }) => finishes)',
    to: '[...this.#line]',
    breaks: /^S3: 0 was not rejected, because shuttingDown/,
  },
  {
    name: 'a closed slot rejects entries that finish',
    from: '[...this.#line].filter(({ finishes }) => finishes)',
    to: '[]',
    breaks: /^S3: 0 \(\w+\) rejected shuttingDown, expected none/,
  },
  {
    name: 'a closed slot does not withdraw its request',
    from: "finishes), 'shuttingDown', null);\n    this.#withdrawUnwanted();",
    to: "finishes), 'shuttingDown', null);",
    breaks: /^S6: a lease request is pending/,
  },
  {
    name: 'a finisher waits after the time to finish',
    from: "this.#rejectAll('shuttingDown');",
    to: '',
    breaks: /^S3: 0 was not rejected, because shuttingDown\nafter:.*endFinish$/,
  },
  {
    name: 'an owner that does not finish is asked to finish',
    from: '!owner.finishes || this.#finishOver',
    to: 'this.#finishOver',
    breaks: /^S7: the owner was asked to finish/,
  },
  {
    name: 'an owner that finishes is stopped at once',
    from: "if (!owner.finishes || this.#finishOver || lease !== 'held')",
    to: 'if (true)',
    breaks: /^S7: an owner that finishes was stopped/,
  },
  {
    name: 'an owner is asked to finish after the time to finish',
    from: '!owner.finishes || this.#finishOver',
    to: '!owner.finishes',
    breaks: /^S7: the owner was asked to finish/,
  },
  {
    name: 'an owner without a lease is asked to finish',
    from: "this.#finishOver || lease !== 'held'",
    to: 'this.#finishOver',
    breaks: /^S7: the owner was asked to finish/,
  },
  {
    name: 'an owner is asked to finish twice',
    from: 'else if (!finishing) {',
    to: 'else {',
    breaks: /^S7: the owner was asked to finish/,
  },
  {
    name: 'an owner that finishes goes on after the time to finish',
    from: "if ('owner' in this.#ownership && this.#ownership.finishing) this.#stopOwner('shutdown', undefined);",
    to: '',
    breaks: /^S7: the time to finish is over, and the owner goes on/,
  },
  {
    name: 'the end of the time to finish stops an owner that the shutdown has not reached',
    from: "if ('owner' in this.#ownership && this.#ownership.finishing) this.#stopOwner('shutdown', undefined);",
    to: "this.#stopOwner('shutdown', undefined);",
    breaks: /^S7: an owner was stopped that the shutdown has not reached/,
  },
];

const local: readonly Planted[] = [
  {
    name: 'the lease of a local slot is released',
    from: " && !this.#isLocal) this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });",
    to: ") this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });",
    breaks: /^S2: release, but no lease is held/,
  },
  {
    name: 'the lease of a local slot is requested',
    from: 'if (this.#isLocal) {\n      this.#own(asker, 0);\n      return;\n    }',
    to: '',
    breaks: /^S2: a local slot asked for a lease/,
  },
];

const path = fileURLToPath(new URL('../../src/policy/slot-machine.ts', import.meta.url));

describe.each([
  ['ownership', ownership],
  ['stopping', stops],
  ['the line', line],
  ['flights', flights],
  ['lease requests', requests],
  ['leases', leases],
  ['suspension', suspension],
  ['shutdown', shutdown],
  ['local leases', local],
] as const)('the exploration of a slot finds a fault of %s:', (_, faults) => {
  for (const { breaks, ...fault } of faults)
    test(fault.name, () => {
      const { SlotMachine: Faulty } = loadPatched<{ SlotMachine: typeof SlotMachine }>(path, fault);
      const run = () => {
        const isLocal = faults === local;
        for (const queueLimit of [1, 2])
          explore(() => new Faulty<Entry>(isLocal), { ...everything(queueLimit, 3), isLocal });
      };
      expect(run).toThrow(breaks);
    });
});
