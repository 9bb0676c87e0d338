// What an operator has to look at: bodies that overrun, a pause, a queue that grows, a dead slot.

import { FatalError, type Supervisor } from 'slotvisor';

/** @returns what ends the bodies that do not look at their signal. */
export function startTroubles(supervisor: Supervisor): () => void {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  for (const n of [1, 2, 3]) {
    const legacy = supervisor.submit({
      slot: `legacy-import:${n}`,
      graceMs: 800,
      run: () => {
        void legacy.cancel(); // here by itself; else an operator does that
        return ended;
      },
    });
  }
  // Waits for the end of a body that does not end.
  supervisor.submit({ slot: 'legacy-import:1', name: 'the next import', run: () => {} });

  for (let n = 1; n <= 40; n += 1) supervisor.submit({ slot: 'newsletter', name: `mail ${n}`, run: () => {} });
  supervisor.slot('newsletter').pause();

  supervisor.slot('export').configure({ queueLimit: 9 });
  for (let n = 1; n <= 12; n += 1)
    supervisor.submit({ slot: 'export', name: `export ${n}`, run: (ctx) => ctx.sleep(600_000) });

  supervisor.submit({
    slot: 'licence',
    vital: true,
    run: () => {
      throw new FatalError('the licence has expired');
    },
  });
  return end;
}
