// Bodies, subscribers and outcome handlers shut down their own supervisor. The process must exit by
// itself.

import { Supervisor } from 'slotvisor';

const print = (...what: unknown[]): void => console.log(what.join(' '));

async function scenario(caller: string, act: (supervisor: Supervisor) => void, graceMs = 3_600_000): Promise<void> {
  const supervisor = new Supervisor({ shutdownGraceMs: graceMs });
  supervisor.submit({ name: 'bystander', run: (ctx) => ctx.sleep(3_600_000) });
  act(supervisor);
  const { clean, counts, abandoned } = await supervisor.closed;
  print(
    caller,
    'within grace:',
    clean,
    'canceled:',
    counts.canceled,
    'abandoned:',
    abandoned.map(({ name }) => name),
  );
}

await scenario('a body that waits until its stop request:', (supervisor) => {
  supervisor.submit({ name: 'closer', run: (ctx) => ctx.untilCanceled(supervisor.shutdown()) });
});

await scenario('a body that waits for its own end:', (supervisor) => {
  supervisor.submit({
    name: 'closer',
    run: async () => {
      const { abandoned } = await supervisor.shutdown({ graceMs: 20 });
      print('the body continues, abandoned:', abandoned.length);
    },
  });
});

await scenario('a body that does not wait:', (supervisor) => {
  supervisor.submit({ name: 'closer', run: () => void supervisor.shutdown() });
});

await scenario(
  'a body that disposes of the supervisor:',
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

await scenario('a subscriber:', (supervisor) => {
  supervisor.subscribe(async ({ type }) => {
    if (type === 'attemptStarted') await Promise.race([supervisor.shutdown(), null]);
  });
});

await scenario('an outcome handler, twice:', (supervisor) => {
  void supervisor.submit({ run: () => {} }).outcome.then(() => {
    void supervisor.shutdown();
    void supervisor.shutdown();
  });
});
