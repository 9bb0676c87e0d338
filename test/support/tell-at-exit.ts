// For children that end with a supervisor in them: the exit code, how far the supervisor was, and how many shutdowns it had begun.

import type { Supervisor } from 'slotvisor';

export function tellAtExit(supervisor: Supervisor): void {
  let shutdowns = 0;
  supervisor.subscribe(
    () => {
      shutdowns += 1;
    },
    { types: ['shutdownStarted'] },
  );
  process.on('exit', (code) => console.log(`exit ${code}, ${supervisor.phase}, ${shutdowns} shutdowns`));
}
