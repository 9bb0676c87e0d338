// A body that is watched for silence, in a process that the test stops and wakes. Its heartbeats come after the timers of their turn.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Supervisor } from 'slotvisor';

const supervisor = new Supervisor();
const events: string[] = [];
supervisor.subscribe(({ type }) => void events.push(type), { types: ['attemptStalled', 'attemptSucceeded'] });

let longestMs = 0;
const { outcome } = supervisor.submit({
  slot: 'beating',
  stallMs: 500,
  restart: 'never',
  run: async (ctx) => {
    let since = performance.now();
    for (let afterwards = 0; afterwards < 30; ) {
      await sleep(20);
      await turn();
      longestMs = Math.max(longestMs, performance.now() - since);
      since = performance.now();
      ctx.heartbeat();
      if (longestMs >= 900) afterwards += 1;
      else console.log('beat');
    }
  },
});
console.log(JSON.stringify({ beating: (await outcome).kind, stopped: longestMs >= 900, events }));

// The watch is alive after all that: silence is still told.
const silent = supervisor.submit({ stallMs: 50, restart: 'never', run: (ctx) => ctx.sleep(3_600_000) });
const ended = await silent.outcome;
console.log(JSON.stringify({ silent: ended.kind === 'failed' ? ended.failure.kind : ended.kind }));
