// A preload for the examples: clocks and timers run SLOTVISOR_SLOWER times more slowly. With 10, a
// grace of 100 ms lasts a second of real time, which is enough on a busy machine, too. Plain
// JavaScript, because the worker threads of an example load it as well.

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
