// The probes of one supervisor, and the guarded place where they are called. Whatever a probe
// throws, returns or forgets, its attempt goes on: the body is called exactly once, and its result
// is the body's own.

import { ignore, settled } from '../kernel/deferred.ts';
import { show } from '../model/error.ts';
import type { AttemptProbe, AttemptReport, Probe, ProbedAttempt } from '../model/probe.ts';
import { AttemptChannel } from './attempt-channel.ts';
import type { EventPublisher } from './events.ts';

/** What publishes the error of a probe. */
type Publisher = Pick<EventPublisher, 'probeFailed'>;

interface Attached {
  readonly name: string;
  readonly probe: Pick<Probe, 'attempt'>;
}

export class Probes {
  readonly #events: Publisher;
  /** It is asked first, so a store that is bound to it is active in the other probes too. */
  readonly #channel: Attached;
  #attached: readonly Attached[] = [];
  #unnamed = 0;

  /** `supervisor`: what the channel's messages call it. */
  constructor(events: Publisher, supervisor: object) {
    this.#events = events;
    this.#channel = { name: 'channel', probe: new AttemptChannel(supervisor) };
  }

  /** There is a probe, or a subscriber of the channel. */
  get active(): boolean {
    return this.#attached.length > 0 || AttemptChannel.isHeard;
  }

  /** Returns what takes the probe away. An attempt keeps the probes that it began with. */
  attach({ name, attempt }: Probe): () => void {
    this.#unnamed += 1;
    const attached = { name: name ?? `probe-${this.#unnamed}`, probe: { attempt } };
    this.#attached = [...this.#attached, attached];
    return () => {
      this.#attached = this.#attached.filter((one) => one !== attached);
    };
  }

  /** Asks each probe once. Returns what watches the attempt, the outermost first. */
  open(info: ProbedAttempt): Watches | undefined {
    const watches: Watch[] = [];
    if (AttemptChannel.isHeard) this.#ask(this.#channel, info, watches);
    for (const attached of this.#attached) this.#ask(attached, info, watches);
    return watches.length === 0 ? undefined : new Watches(watches);
  }

  #ask({ name, probe }: Attached, info: ProbedAttempt, watches: Watch[]): void {
    try {
      const part = checked(probe.attempt(info));
      if (part !== undefined) watches.push(new Watch(name, part, this.#events));
    } catch (error) {
      this.#events.probeFailed(name, error);
    }
  }
}

function checked(part: unknown): AttemptProbe | undefined {
  if (part === undefined || part === null) return undefined;
  if (typeof part === 'object' && !ignore(part)) return part;
  throw new TypeError(`attempt() of a probe must return an object with run or ended, or undefined: got ${show(part)}`);
}

function methodOf<K extends keyof AttemptProbe>(part: AttemptProbe, key: K): AttemptProbe[K] {
  const method = part[key] ?? undefined;
  if (method === undefined || typeof method === 'function') return method;
  throw new TypeError(`${key} of a probe must be a function, or left out: got ${show(method)}`);
}

/** All that watches one attempt. */
export class Watches {
  readonly #watches: readonly Watch[];

  constructor(watches: readonly Watch[]) {
    this.#watches = watches;
  }

  /** Calls the body inside every `run`, and returns what the body returned. */
  around(body: () => unknown): unknown {
    return this.#watches.reduceRight((inner, watch) => () => watch.around(inner), body)();
  }

  ended(report: AttemptReport): void {
    for (const watch of this.#watches) watch.ended(report);
  }
}

type Result = { readonly value: unknown } | { readonly error: unknown };

/** One probe's part in one attempt. */
class Watch {
  readonly #name: string;
  readonly #part: AttemptProbe;
  readonly #events: Publisher;

  constructor(name: string, part: AttemptProbe, events: Publisher) {
    this.#name = name;
    this.#part = part;
    this.#events = events;
  }

  around(body: () => unknown): unknown {
    let isCalled = false;
    let result: Result | undefined; // undefined while the body runs
    const once = (): unknown => {
      if (!isCalled) {
        isCalled = true;
        result = resultOf(body);
      }
      return result && returnOrThrow(result);
    };
    try {
      const returned = methodOf(this.#part, 'run')?.call(this.#part, once);
      if (!isResult(result, 'value', returned)) ignore(returned);
    } catch (error) {
      if (!isResult(result, 'error', error)) this.#failed(error);
    }
    return once();
  }

  ended(report: AttemptReport): void {
    try {
      const returned: unknown = methodOf(this.#part, 'ended')?.call(this.#part, report);
      settled(
        returned,
        () => {},
        (error) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#events.probeFailed(this.#name, error);
  }
}

function resultOf(body: () => unknown): Result {
  try {
    return { value: body() };
  } catch (error) {
    return { error };
  }
}

function returnOrThrow(result: Result): unknown {
  if ('error' in result) throw result.error;
  return result.value;
}

/** Typed by the compiler as it was before the call of `run`. */
const isResult = (result: Result | undefined, key: 'value' | 'error', what: unknown): boolean =>
  result !== undefined && key in result && (result as Record<string, unknown>)[key] === what;
