// A preload for the examples: time passes SLOTVISOR_SLOWER times more slowly, for clocks and timers alike.
// A grace of 100 ms in the example is then a second of real time, and a busy machine does not exceed it.
// Plain JavaScript, because the worker threads of an example load it too.

import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

const slower = Number(process.env.SLOTVISOR_SLOWER);
const { setTimeout } = globalThis;
const { setTimeout: sleep } = timers;
const now = performance.now.bind(performance);
const wallNow = Date.now;
const startedAt = wallNow();

performance.now = () => now() / slower;
Date.now = () => Math.floor(startedAt + (wallNow() - startedAt) / slower);
globalThis.setTimeout = (act, ms, ...args) => setTimeout(act, ms * slower, ...args);
timers.setTimeout = (ms, ...args) => sleep(ms * slower, ...args);
syncBuiltinESMExports();
