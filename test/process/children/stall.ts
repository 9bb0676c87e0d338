// A body with `stallMs`, in a process that the test stops and continues. Its heartbeats come after
// the timers of their turn.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();
const events: string[] = [];
supervisor.subscribe(({ type }) => void events.push(type), { types: ['attemptStalled', 'attemptSucceeded'] });

let longestMs = 0;
const { outcome } = supervisor.submit({
  slot: 'with heartbeats',
  stallMs: 500,
  restart: 'never',
  run: async (ctx) => {
    let since = performance.now();
    for (let afterwards = 0; afterwards < 30; ) {
      console.log('heartbeat');
      await sleep(20);
      await turn();
      longestMs = Math.max(longestMs, performance.now() - since);
      since = performance.now();
      ctx.heartbeat();
      if (longestMs >= 1_000) afterwards += 1;
    }
  },
});
console.log(JSON.stringify({ withHeartbeats: (await outcome).kind, events }));

// The watch still works: a body without heartbeats stalls.
const silent = supervisor.submit({ stallMs: 50, restart: 'never', run: (ctx) => ctx.sleep(3_600_000) });
const ended = await silent.outcome;
console.log(JSON.stringify({ withoutHeartbeats: ended.kind === 'failed' ? ended.failure.kind : ended.kind }));
