// A small model of the supervisor, written from the public promises alone. It uses plain arrays,
// one slot at a time, and no code of the library. For a sequence of steps it gives the owner and
// the queue of each slot, and the order, outcome and events of each submission.
//
// This file has the slots: who is admitted, joins, waits, leaves and goes next. What an owner does
// is in reference-attempts.ts, the lease store in reference-leases.ts, the shutdown in
// reference-shutdown.ts, the vital slots in reference-vital.ts.

import type { RejectReason, StopCause } from 'slotvisor';
import { Attempts } from './reference-attempts.ts';
import { Leases } from './reference-leases.ts';
import { type CASES, Flight, Place, type Plan, type Setting, Task, TIMES } from './reference-nouns.ts';
import { Closing } from './reference-shutdown.ts';
import { Time } from './reference-time.ts';
import { Vitals } from './reference-vital.ts';

export class Reference {
  readonly tasks: Task[] = [];
  /** The slots that have an owner, a request or a pause. */
  readonly places = new Map<string, Place>();
  /**
   * The order in which a shutdown visits the slots. A name that comes back has its old place, if no
   * look at all slots came between.
   */
  readonly #names = new Set<string>();
  readonly #limits = new Map<string, { queueLimit: number; dropsOldest: boolean }>();
  /** For each slot the submissions in the order of their outcomes. */
  readonly settled = new Map<string, number[]>();
  /** How often each case occurred. */
  readonly seen = new Map<(typeof CASES)[number], number>();
  readonly setting: Setting;
  readonly time = new Time(() => this.closing.look());
  readonly attempts: Attempts;
  readonly leases: Leases;
  readonly closing: Closing;
  readonly vitals = new Vitals(this);

  constructor(setting: Setting) {
    this.setting = setting;
    this.attempts = new Attempts(this);
    this.leases = new Leases(this);
    this.closing = new Closing(this);
  }

  see(what: (typeof CASES)[number]): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  get allPlaces(): Place[] {
    for (const name of this.#names) if (!this.places.has(name)) this.#names.delete(name);
    return [...this.#names].map((name) => this.places.get(name)).filter((place) => place !== undefined);
  }

  /** A slot that is not live is made, and is forgotten unless it comes to be. */
  place(slot: string): Place {
    return this.places.get(slot) ?? new Place(slot);
  }

  /** Puts the slot among the live ones, or takes it away. */
  changed(place: Place): void {
    const { slot, phase, paused } = place;
    const isLive = phase !== 'idle' || paused;
    if (isLive) this.#names.add(slot);
    if (isLive) this.places.set(slot, place);
    else if (this.places.get(slot) === place) this.places.delete(slot);
  }

  submit(plan: Plan): void {
    if (this.closing.began) return;
    const place = this.place(plan.slot);
    const task = new Task(this.tasks.length + 1, plan, this.time.now);
    this.tasks.push(task);
    task.events.push('submitted');
    this.#admit(place, task);
    if (task.outcome !== undefined) return;
    if (plan.timed === 'deadline') task.deadline = this.time.after(TIMES.deadline, () => this.leave(task, 'deadline'));
    if (plan.timed === 'queueTimeout' && task.flight?.attempts === 0)
      task.queueTimer = this.time.after(TIMES.queueTimeout, () => this.leave(task, 'queueTimeout'));
  }

  #admit(place: Place, task: Task): void {
    const flight = new Flight(task);
    const { policy } = task.plan;
    const [waitsFirst] = place.waiting;
    if (place.phase === 'idle' && !place.paused) {
      if (this.#isFull && !(this.setting.leases === 'local' && this.attempts.gateIsOpen)) {
        this.see('a resource limit at the gate');
        this.#refuse(task, 'resourceLimit');
      } else this.#start(place, flight);
      return;
    }
    const joins = place.phase === 'running' ? place.owner : waitsFirst;
    if (policy === 'join' && joins !== undefined) this.#join(task, joins);
    else if (policy === 'dropIfRunning' && (place.owner ?? waitsFirst) !== undefined)
      this.#refuse(task, 'slotBusy', (place.owner ?? waitsFirst)?.participants[0]);
    else if (policy === 'replace') this.#replace(place, flight);
    else this.#enqueue(place, flight);
  }

  /** On an idle slot. It waits if the lease is not granted at once. */
  #start(place: Place, flight: Flight): void {
    this.#enter(flight.leader, flight);
    if (flight.plan.policy === 'replace') place.replacement = flight;
    else place.queue.push(flight);
    this.advance(place);
    this.#admitted(place, flight, 'waiting');
  }

  #enter(task: Task, flight: Flight): void {
    task.flight = flight;
    this.vitals.admitted(task);
  }

  #join(task: Task, flight: Flight): void {
    if (this.place(task.plan.slot).owner !== flight) this.see('a join of a waiting flight');
    task.admission = 'joined';
    this.#enter(task, flight);
    task.events.push(`joined ${flight.first.number}`);
    flight.participants.push(task);
  }

  #replace(place: Place, flight: Flight): void {
    const latest = place.queue.find(({ plan }) => plan.policy === 'keepLatest');
    if (place.replacement === undefined && latest === undefined && this.#isFull) {
      this.#refuse(flight.leader, 'resourceLimit');
      return;
    }
    this.#enter(flight.leader, flight);
    this.supersede(place, flight.leader);
    place.replacement = flight;
    this.leases.urge(place);
    if (place.owner !== undefined) this.attempts.stop(place.owner, 'replace');
    this.#admitted(place, flight, 'queued');
  }

  #enqueue(place: Place, flight: Flight): void {
    const { leader, plan } = flight;
    const latest = place.queue.findIndex((other) => other.plan.policy === 'keepLatest');
    if (plan.policy === 'keepLatest' && latest >= 0) {
      const [old] = place.queue.splice(latest, 1, flight) as [Flight];
      this.#rejectAll(old, 'superseded', leader);
    } else {
      // While the lease is requested, the head of the queue is about to own the slot.
      const head = place.phase === 'waiting' && place.replacement === undefined ? 1 : 0;
      const { queueLimit, dropsOldest } = this.#limits.get(place.slot) ?? { queueLimit: 1_000, dropsOldest: false };
      const excess = (): boolean => place.queue.length - head >= queueLimit;
      if (excess() && (!dropsOldest || queueLimit === 0)) {
        this.#refuse(leader, 'queueFull');
        return;
      }
      if (!excess() && this.#isFull) {
        this.#refuse(leader, 'resourceLimit');
        return;
      }
      while (excess()) this.reject(place.queue[head] as Flight, 'queueFull', leader);
      place.queue.push(flight);
    }
    this.#enter(leader, flight);
    this.#admitted(place, flight, 'queued');
  }

  /** An owner between two attempts ends at once, so its replacement can own the slot already. */
  #admitted(place: Place, flight: Flight, otherwise: 'waiting' | 'queued'): void {
    const { leader } = flight;
    leader.admission = place.waiting.includes(flight) ? otherwise : 'started';
    if (leader.admission !== 'started') leader.events.push(`queued ${place.waiting.length}`);
  }

  /** `limits.pending` submissions wait for their first attempt. Joined ones take no place. */
  get #isFull(): boolean {
    const waiting = this.allPlaces.reduce((sum, place) => sum + place.waiting.length, 0);
    const owners = this.allPlaces.filter(({ owner }) => owner !== undefined && this.attempts.isPending(owner)).length;
    return waiting + owners >= this.setting.pending;
  }

  /** Rejects what a new replacement takes the place of. `by`: none for one in another process. */
  supersede(place: Place, by?: Task): void {
    const latest = place.queue.find(({ plan }) => plan.policy === 'keepLatest');
    if (place.replacement !== undefined) this.reject(place.replacement, 'superseded', by);
    if (latest === undefined) return;
    this.see('a replacement supersedes a waiting keepLatest');
    this.reject(latest, 'superseded', by);
  }

  /** Rejects a waiting flight: its leader first, then those who joined, in their order. */
  reject(flight: Flight, reason: RejectReason, by?: Task): void {
    this.#remove(this.place(flight.plan.slot), flight);
    this.#rejectAll(flight, reason, by);
  }

  #rejectAll(flight: Flight, reason: RejectReason, by?: Task): void {
    if (flight.participants.length > 1) this.see('a waiting flight of several is rejected');
    for (const task of flight.participants.splice(0)) this.#refuse(task, reason, by);
  }

  #refuse(task: Task, reason: RejectReason, by?: Task): void {
    const text = `rejected ${reason}${by === undefined ? '' : ` ${by.number}`}`;
    task.events.push(text);
    this.settle(task, text);
  }

  settle(task: Task, outcome: string): void {
    task.outcome = outcome;
    task.flight = undefined;
    const { slot } = task.plan;
    this.settled.set(slot, [...(this.settled.get(slot) ?? []), task.number]);
    this.time.drop(task.deadline);
    this.time.drop(task.queueTimer);
    this.vitals.settled(task, outcome);
  }

  #remove(place: Place, flight: Flight): void {
    if (place.replacement === flight) place.replacement = undefined;
    place.queue = place.queue.filter((other) => other !== flight);
  }

  cancel(number: number): void {
    const task = this.tasks[number - 1];
    if (task !== undefined) this.leave(task, 'caller');
  }

  /** One participant leaves. The place in the slot, or the body, goes on for the others. */
  leave(task: Task, by: 'caller' | 'deadline' | 'queueTimeout'): void {
    const { flight } = task;
    if (flight === undefined) return;
    const place = this.place(task.plan.slot);
    const isLast = flight.participants.length === 1;
    if (by === 'queueTimeout')
      this.see(place.owner === flight ? 'a queue timeout at the gate or suspended' : 'a queue timeout while queued');
    if (place.owner !== flight) {
      if (flight.leader !== task)
        this.see(isLast ? 'the last of a joined flight leaves it waiting' : 'a joined one leaves a waiting flight');
      else if (!isLast) this.see('a leader leaves a waiting flight');
      flight.participants.splice(flight.participants.indexOf(task), 1);
      if (isLast) this.#remove(place, flight);
      this.#refuse(task, by === 'caller' ? 'canceled' : by);
      this.leases.callOffUnwanted(place);
    } else if (isLast && flight.leader === task) {
      this.attempts.stop(flight, by); // it has the body to itself, and ends with it
    } else {
      if (flight.leader === task) this.see('a leader leaves its body to others');
      flight.participants.splice(flight.participants.indexOf(task), 1);
      task.events.push(`finished canceled ${flight.attempts}`);
      this.settle(task, `canceled ${flight.stop ?? by} ${flight.attempts}`);
      if (isLast) this.attempts.stop(flight, by);
    }
  }

  cancelSlot(slot: string): void {
    const place = this.place(slot);
    for (const flight of place.waiting) this.reject(flight, 'canceled');
    this.leases.callOffUnwanted(place);
    if (place.owner !== undefined) this.attempts.stop(place.owner, 'slot');
  }

  pause(slot: string): void {
    const place = this.place(slot);
    place.paused = true;
    this.leases.callOffUnwanted(place);
    this.changed(place);
  }

  resume(slot: string): void {
    const place = this.place(slot);
    place.paused = false;
    this.advance(place);
  }

  configure(slot: string, queueLimit: number, dropsOldest: boolean): void {
    this.#limits.set(slot, { queueLimit, dropsOldest });
  }

  restart(number: number): void {
    const flight = this.tasks[number - 1]?.flight;
    if (flight !== undefined && !this.closing.began) this.attempts.restart(flight);
  }

  /** The next one asks for the lease. It owns the slot at once if leases are local. */
  advance(place: Place): void {
    const [next] = place.waiting;
    const isBusy = place.owner !== undefined || place.ask !== undefined || place.paused;
    if (isBusy || next === undefined) this.changed(place);
    else if (this.setting.leases === 'local') this.own(place, next);
    else this.leases.request(place, next, next.plan.policy);
  }

  own(place: Place, flight: Flight): void {
    this.#remove(place, flight);
    place.owner = flight;
    this.changed(place);
    flight.first.events.push('started');
    this.attempts.enter(flight, 'first');
    this.closing.tell(place);
  }

  /** The owner's body has ended, or was given up. The leader has its outcome first. */
  ended(flight: Flight, outcome: string, kind: string): void {
    const place = this.place(flight.plan.slot);
    place.owner = undefined;
    this.vitals.ownerEnded(place, outcome);
    for (const task of flight.participants) {
      task.events.push(`finished ${kind} ${flight.attempts}`);
      this.settle(task, outcome);
    }
    this.leases.ownerEnded(place, flight);
    this.advance(place);
    this.closing.lookSoon();
  }

  stopOwner(place: Place, by: StopCause): void {
    if (place.owner !== undefined) this.attempts.stop(place.owner, by);
  }
}
