// Tasks that fail while nothing watches them, or while something does. The process ends by itself.

import { Supervisor } from 'slotvisor';

const [mode = 'nothing'] = process.argv.slice(2);
const supervisor = new Supervisor({ warnings: mode !== 'off' });
const fail = async (): Promise<never> => {
  throw new Error('boom');
};

const submit = () =>
  Array.from({ length: 3 }, (_, n) =>
    supervisor.submit({ slot: `orders:${n}`, maxRetries: 1, backoff: { firstMs: 5, jitter: 'none' }, run: fail }),
  );

if (mode === 'awaited') {
  for (const { kind } of await Promise.all(submit().map(({ outcome }) => outcome))) console.log(kind);
} else if (mode === 'subscribed') {
  supervisor.subscribe(({ type }) => console.log(type), { types: ['attemptFailed'] });
  submit();
} else if (mode === 'run') {
  const { outcomes } = await supervisor.run([{ slot: 'orders', restart: 'never', run: fail }]);
  console.log(outcomes[0]?.kind);
} else submit();
