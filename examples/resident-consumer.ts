// Shows: a consumer that is meant to run for months. Its connection is refused, is lost, and once
// goes silent without an error. After a connection that was good for long, the delays begin again.
// Run: node --import tsx examples/resident-consumer.ts

import { restartable, Supervisor, type TaskContext } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';

const MINUTE = 60_000;
const clock = new VirtualClock(); // for this example; without it, an hour takes an hour
const supervisor = new Supervisor({ clock });
const time = (): string => new Date(clock.now()).toISOString().slice(11, 23);

/** The connections to the queue, one after the other. Each delivers a message a minute, and ends. */
const CONNECTIONS = [
  { messages: 0, end: 'refused' },
  { messages: 0, end: 'refused' },
  { messages: 60, end: 'lost' },
  { messages: 90, end: 'silent' },
  { messages: Infinity, end: 'lost' },
] as const;

let connected = 0;

/** Your client of the queue. */
function connect(): { receive(ctx: TaskContext): Promise<void> } {
  const { messages, end } = CONNECTIONS[connected++] ?? CONNECTIONS[0];
  let received = 0;
  return {
    receive: async (ctx) => {
      if (received === messages && end === 'silent') await ctx.sleep(Infinity); // no error ever comes
      if (received === messages) throw new Error(`connection ${end}`);
      await ctx.sleep(MINUTE);
      received += 1;
    },
  };
}

let handled = 0;

const consumer = supervisor.submit(
  restartable(
    async (ctx) => {
      const queue = connect();
      while (!ctx.canceled) {
        await queue.receive(ctx);
        ctx.heartbeat(); // a message came: the connection lives
        handled += 1;
      }
    },
    {
      slot: 'orders-consumer',
      stallMs: 5 * MINUTE, // a connection without a message for so long is given up
      backoff: { firstMs: 200, jitter: 'none' }, // keep the jitter in your service
      maxRetries: 5, // in a row
      stableMs: 15 * MINUTE, // and the row ends after a connection that was good for so long
    },
  ),
);

supervisor.subscribe((event) => {
  if (event.type === 'attemptFailed' || event.type === 'attemptStalled')
    console.log(`${time()} attempt ${event.attempt}: ${event.failure.message}`);
  if (event.type === 'backoffScheduled') console.log(`${time()} retry in ${event.delayMs} ms`);
});

await clock.advance(5 * 60 * MINUTE);
console.log(`${time()} ${consumer.status}, ${handled} messages handled`);
await supervisor.shutdown();
console.log(`${time()} ${(await consumer.outcome).kind}, ${clock.timers} timers left`);
