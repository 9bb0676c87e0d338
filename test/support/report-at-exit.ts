// For child processes: prints at exit the code, the phase of the supervisor and the shutdown count.

import type { Supervisor } from 'slotvisor';

export function reportAtExit(supervisor: Supervisor): void {
  let shutdowns = 0;
  supervisor.subscribe(
    () => {
      shutdowns += 1;
    },
    { types: ['shutdownStarted'] },
  );
  process.on('exit', (code) => console.log(`exit ${code}, ${supervisor.phase}, ${shutdowns} shutdowns`));
}
