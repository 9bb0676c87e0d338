// A look at the fleet in Redis, in short calls: other clients of the server wait for a few of them,
// not for all. The sessions are read, then the names of their slots are scanned in pages, then the
// slots that are shown are read.

import type { FleetLook, FleetProcess, FleetSlot, LookAsk } from '../fleet/index.ts';
import { run, type Sender } from './client.ts';
import { LEASES } from './script.ts';

/** How many names a scan walks: about 0.3 ms. */
const PAGE = 500;
/** How many scans are under way: Redis may do them all before it hears another client. */
const LANES = 8;
/** How many sessions, and how many slots, a script shows: about 1 ms. */
const SESSIONS_AT_ONCE = 200;
const SLOTS_AT_ONCE = 50;

/** A call of the script that keeps the leases. */
type CallScript = (operation: string, ...args: readonly string[]) => Promise<readonly Reply[]>;
/** A client may be set to answer with Buffers. */
type Reply = readonly unknown[];

export async function lookAt(
  sender: Sender,
  key: string,
  channel: string,
  session: string | undefined,
  { q, limit, lineLimit }: LookAsk,
): Promise<FleetLook> {
  const call: CallScript = async (operation, ...args) =>
    (await run(sender, LEASES, key, [channel, operation, session ?? '', ...args])) as readonly Reply[];
  const ids = await idsOf(sender, key);
  const sessions = (await inParts(ids, SESSIONS_AT_ONCE, (some) => call('sessions', ...some))).map(sessionOf);
  const names = await namesOf(sender, key, sessions, q, limit + 1);
  const show = (slots: readonly string[]) => call('show', `${lineLimit}`, ...slots);
  const slots = (await inParts(names.slice(0, limit), SLOTS_AT_ONCE, show)).map(slotOf);
  const processes = sessions.flatMap(({ process }) => process ?? []);
  return {
    processes: processes.sort((a, b) => (a.name < b.name ? -1 : 1)),
    slots,
    more: names.length > limit,
  };
}

/** One part after the other. */
async function inParts<T, R>(all: readonly T[], most: number, run: (part: readonly T[]) => Promise<readonly R[]>) {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += most) results.push(...(await run(all.slice(at, at + most))));
  return results;
}

/** The sessions that are known, and those that are gone and may still hold slots. */
async function idsOf(sender: Sender, key: string): Promise<string[]> {
  const known = (await sender.send('ZRANGE', [`${key}:sessions`, '0', '-1'])) as Reply;
  const dead = (await sender.send('SMEMBERS', [`${key}:dead`])) as Iterable<unknown>;
  return [...new Set([...known, ...dead].map(String))];
}

interface Known {
  readonly id: string;
  readonly held: number;
  /** `undefined`: the session is gone, and some of its slots are not yet passed on. */
  readonly process: FleetProcess | undefined;
}

function sessionOf(reply: Reply): Known {
  const [id = '', state, name = '', ...figures] = reply.map(String);
  const [held = 0, waiting = 0, expiresInMs = 0] = figures.map(Number);
  const process = { name, isSelf: state === 'self', held, waiting, expiresInMs };
  return { id, held, process: state === 'dead' ? undefined : process };
}

/** The first names by name, at most so many, of those that contain `q`. */
async function namesOf(sender: Sender, key: string, sessions: readonly Known[], q: string, most: number) {
  const pattern = `*${q.replace(/[\\*?[]/g, '\\$&')}*`;
  let first: string[] = [];
  const scan = async ({ id }: Known): Promise<void> => {
    let cursor = '0';
    do {
      const args = [`${key}:owns:${id}`, cursor, 'MATCH', pattern, 'COUNT', `${PAGE}`];
      const [next, page] = (await sender.send('SSCAN', args)) as [unknown, Reply];
      first = firstOf(first, page.map(String), most);
      cursor = String(next);
    } while (cursor !== '0');
  };
  const holders = sessions.filter(({ held }) => held > 0);
  await inParts(holders, LANES, (some) => Promise.all(some.map(scan)));
  return first;
}

/** A scan may name a slot twice. Most pages have few names before the last one that is kept. */
function firstOf(kept: readonly string[], page: readonly string[], most: number): string[] {
  const last = kept[most - 1];
  const better = last === undefined ? page : page.filter((name) => name < last);
  return [...new Set([...kept, ...better])].sort().slice(0, most);
}

function slotOf(reply: Reply): FleetSlot {
  const [slot = '', fence = '', state, holder = '', waiting, ...line] = reply.map(String);
  return {
    slot,
    ...(state !== 'gone' && { holder }),
    isOurs: state === 'ours',
    fence: BigInt(fence),
    line,
    waiting: Number(waiting),
  };
}
