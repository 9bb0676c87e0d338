// Bodies, subscribers and outcome handlers that shut down the supervisor they belong to. The process must end by itself.

import { Supervisor } from 'slotvisor';

const tell = (who: string, ...what: unknown[]): void => console.log([who, ...what].join(' '));

async function world(who: string, act: (supervisor: Supervisor) => void, graceMs = 3_600_000): Promise<void> {
  const supervisor = new Supervisor({ graceMs });
  supervisor.submit({ name: 'bystander', run: (ctx) => ctx.sleep(3_600_000) });
  act(supervisor);
  const { withinGrace, counts, abandoned } = await supervisor.closed;
  tell(
    who,
    'within grace:',
    withinGrace,
    'canceled:',
    counts.canceled,
    'abandoned:',
    abandoned.map(({ name }) => name),
  );
}

await world('a body that gives up waiting when it is told to stop:', (supervisor) => {
  supervisor.submit({ name: 'closer', run: (ctx) => ctx.untilCanceled(supervisor.shutdown()) });
});

await world('a body that waits for the end of itself:', (supervisor) => {
  supervisor.submit({
    name: 'closer',
    run: async () => {
      const { abandoned } = await supervisor.shutdown({ graceMs: 20 });
      tell('the body goes on,', abandoned.length, 'given up');
    },
  });
});

await world('a body that does not wait:', (supervisor) => {
  supervisor.submit({ name: 'closer', run: () => void supervisor.shutdown() });
});

await world(
  'a body that disposes of it:',
  (supervisor) => {
    supervisor.submit({
      name: 'closer',
      run: async () => {
        await using _ = supervisor;
      },
    });
  },
  20,
);

await world('a subscriber:', (supervisor) => {
  supervisor.subscribe(async ({ type }) => {
    if (type === 'attemptStarted') await Promise.race([supervisor.shutdown(), null]);
  });
});

await world('an outcome handler, twice:', (supervisor) => {
  void supervisor.submit({ run: () => {} }).outcome.then(() => {
    void supervisor.shutdown();
    void supervisor.shutdown();
  });
});
