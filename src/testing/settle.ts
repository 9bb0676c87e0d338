// Gives the event loop its turns until nothing in the process asks for another one.

import { eventLoopTurn } from '../kit.ts';

/** The most turns, if each turn asks for another one. */
const MAX_TURNS = 10_000;

/** @param turn gives the event loop a turn. */
export async function settle(turn: () => Promise<unknown> = eventLoopTurn): Promise<void> {
  for (let turns = 0; turns < MAX_TURNS; turns += 1) {
    await turn();
    if (turns > 0 && !process.getActiveResourcesInfo().includes('Immediate')) return;
  }
}
