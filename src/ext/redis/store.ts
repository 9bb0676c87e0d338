// The LeaseStore in Redis: calls the script, and reads what it answers.

import type { Clock } from '../../index.ts';
import { SystemClock } from '../../kit.ts';
import {
  type AskAnswer,
  type FleetLook,
  Gather,
  type HeldSlot,
  type LeaseAsk,
  type LeaseNews,
  type LeasePulse,
  type LeaseStore,
  type LookAsk,
} from '../fleet/index.ts';
import { checkFit, type Port, run, type Sender, within } from './client.ts';
import { isLasting } from './errors.ts';
import { lookAt } from './look.ts';
import { LEASES } from './script.ts';

export interface RedisStoreSettings {
  readonly ttlMs: number;
  readonly prefix: string;
  readonly quarantine: boolean;
  readonly allowEviction: boolean;
  readonly clock?: Clock | undefined;
}

/** A script stays short: it stops all other clients of the server. */
const MAX_ITEMS = 100;

/** What is done with one slot: the operation, the session, the slot, and the mode or the fence. */
type SlotCall = readonly [operation: 'acquire' | 'release' | 'withdraw', session: string, slot: string, rest: string];

export class RedisStore implements LeaseStore {
  readonly #port: Port;
  readonly #settings: RedisStoreSettings;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #channel: string;
  /** Calls of single slots that come together go as one. */
  readonly #slots: Gather<SlotCall, readonly string[] | Error>;

  constructor(port: Port, settings: RedisStoreSettings) {
    this.#port = port;
    this.#settings = settings;
    this.#clock = settings.clock ?? new SystemClock();
    this.#key = `{${settings.prefix}}`;
    this.#channel = `${this.#key}:to:`;
    this.#slots = new Gather({ lanes: 2, most: MAX_ITEMS, key: () => '', run: (calls) => this.#callSlots(calls) });
  }

  async open(session: string, name: string, ttlMs: number): Promise<void> {
    await checkFit(this.#port, this.#clock, ttlMs, this.#settings.allowEviction);
    await this.#call('open', ttlMs, session, `${ttlMs}`, name);
  }

  async beat(session: string, waiting: readonly string[]): Promise<LeasePulse | null> {
    const { ttlMs } = this.#settings;
    const lines = await this.#call('beat', ttlMs / 6, session, `${ttlMs}`, ...waiting);
    const news: LeaseNews[] = [];
    let held = 0;
    let nextMs: number | null = null;
    for (const line of lines) {
      if (line === 'd') return null;
      if (line.startsWith('h ')) held = Number(line.slice(2));
      else if (line.startsWith('u ')) nextMs = Math.min(nextMs ?? Infinity, Number(line.slice(2)));
      else news.push(newsOf(line));
    }
    return { news, held, nextMs };
  }

  async acquire(session: string, { slot, mode }: LeaseAsk): Promise<AskAnswer> {
    const answer = await this.#slots.add(['acquire', session, slot, mode]);
    if (answer instanceof Error) throw answer;
    const [state, fence = '', wanted] = answer;
    if (state === 'granted') return { state, fence: BigInt(fence), contended: wanted !== '0' };
    if (state === 'waiting') return { state, fence: BigInt(fence) };
    return { state: state as 'busy' | 'dead' };
  }

  async release(session: string, { slot, fence }: HeldSlot): Promise<void> {
    await this.#slots.add(['release', session, slot, `${fence}`]);
  }

  async withdraw(session: string, slot: string): Promise<void> {
    await this.#slots.add(['withdraw', session, slot, '']);
  }

  async holdings(session: string, slot?: string): Promise<ReadonlyMap<string, bigint>> {
    const only = slot === undefined ? [] : [slot];
    const flat = await this.#call('holdings', this.#settings.ttlMs, session, ...only);
    const found = new Map<string, bigint>();
    for (let i = 0; i < flat.length; i += 2) found.set(flat[i] as string, BigInt(flat[i + 1] as string));
    return found;
  }

  async look(session: string | undefined, ask: LookAsk): Promise<FleetLook> {
    const port = this.#port;
    let isOver = false;
    const inTime: Sender = {
      async send(command, args) {
        if (isOver) throw new Error('the look is over');
        return port.send(command, args);
      },
    };
    const looking = lookAt(inTime, this.#key, this.#channel, session, ask);
    try {
      return await within(this.#clock, this.#settings.ttlMs, 'look', looking);
    } finally {
      isOver = true; // a look that takes too long makes no more calls
    }
  }

  async end(session: string): Promise<void> {
    let left: readonly string[];
    do left = await this.#call('end', this.#settings.ttlMs, session);
    while (left.length > 0);
  }

  async listen(session: string, hear: (news: LeaseNews) => void, broken: () => void): Promise<() => void> {
    const line = this.#port.dial();
    let hasEnded = false; // what the connection has read before its end may come after it
    const pass = (message: string): void => {
      if (!hasEnded) hearIfNews(message, hear);
    };
    const hearing = line.subscribe(this.#channel + session, pass, () => {
      if (!hasEnded) broken();
    });
    try {
      await within(this.#clock, this.#settings.ttlMs, 'SUBSCRIBE', hearing);
    } catch (error) {
      line.close();
      throw error;
    }
    return () => {
      hasEnded = true;
      line.close();
    };
  }

  isPermanent(error: unknown): boolean {
    return isLasting(error);
  }

  /** Nothing: the client is the user's, and each `listen` closes its own connection. */
  async close(): Promise<void> {}

  async #call(operation: string, limitMs: number, ...args: string[]): Promise<readonly string[]> {
    return texts(await this.#run(operation, limitMs, args));
  }

  /** Half of the ttl for what goes, since what waits here meanwhile needs as long again. */
  async #callSlots(calls: readonly SlotCall[]): Promise<readonly (readonly string[] | Error)[]> {
    const { quarantine, ttlMs } = this.#settings;
    const args = [quarantine ? 'careful' : '', ...calls.flat()];
    const answers = (await this.#run('slots', ttlMs / 2, args)) as readonly unknown[];
    let young: Error | undefined;
    return answers.map((answer) => {
      const words = texts(answer);
      if (words[0] !== 'young') return words;
      young ??= new Error(
        `Redis was found empty and may have forgotten slots that processes hold: it grants slots in ${words[1]} ms (quarantine: false takes the risk)`,
      );
      return young;
    });
  }

  #run(operation: string, limitMs: number, args: readonly string[]): Promise<unknown> {
    const running = run(this.#port, LEASES, this.#key, [this.#channel, operation, ...args]);
    return within(this.#clock, limitMs, operation, running);
  }
}

/** A client may be set to answer with Buffers. */
const texts = (reply: unknown): readonly string[] => (reply as readonly unknown[]).map(String);

/** Another program may write to the channel. A throw here would end the process. */
function hearIfNews(message: string, hear: (news: LeaseNews) => void): void {
  let news: LeaseNews;
  try {
    news = newsOf(message);
  } catch {
    return; // it is no news: the fence is no number
  }
  hear(news);
}

/** `g <fence> <wanted> <slot>`, `c <fence> <slot>`, `r <fence> <slot>`, `s <slot>`, `o <slot>`. */
function newsOf(text: string): LeaseNews {
  const [kind, ...words] = text.split(' ');
  const rest = (from: number): string => words.slice(from).join(' '); // a name may have spaces
  const fence = (): bigint => BigInt(words[0] as string);
  switch (kind) {
    case 'g':
      return { kind: 'granted', slot: rest(2), fence: fence(), contended: words[1] !== '0' };
    case 's':
      return { kind: 'superseded', slot: rest(0) };
    case 'o':
      return { kind: 'orphan', slot: rest(0) };
    default:
      return { kind: kind === 'r' ? 'revoked' : 'contended', slot: rest(1), fence: fence() };
  }
}
