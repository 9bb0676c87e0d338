// Code that misbehaves in every way that a library can contain. With the argument `control`, one
// rejection stays unhandled on purpose.

import { FatalError, RetryError, Supervisor, type TaskSpec } from 'slotvisor';

if (process.argv[2] === 'control') void Promise.reject(new Error('control'));

const supervisor = new Supervisor({
  subscriberGraceMs: 100,
  defaults: { graceMs: 10, maxRetries: 1, backoff: { firstMs: 1, maxMs: 1 } },
  aroundAttempt: async ({ name }, next) => {
    await next();
    if (name === 'around') throw new Error('after the body');
  },
});
supervisor.subscribe(() => {
  throw new Error('a subscriber that throws');
});
supervisor.subscribe(() => Promise.reject(new Error('a subscriber that rejects')));
supervisor.subscribe(() => new Promise(() => {}));

function gate(): { passed: Promise<void>; open: () => void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const boom = (): never => {
  throw new Error('boom');
};

type Gate = ReturnType<typeof gate>;
const abandoned = gate();

const SPECS: Readonly<Record<string, TaskSpec<unknown, unknown>>> = {
  value: { run: () => 'value' },
  'sync throw': { run: boom },
  reject: { run: () => Promise.reject(undefined) },
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  thenable: { run: () => ({ then: (_: unknown, no: (error: unknown) => void) => [no(1), no(2), boom()] }) as never },
  'bad then': { run: () => Object.defineProperty({}, 'then', { get: boom }) as never },
  fatal: { run: () => Promise.reject(new FatalError('for good')) },
  retry: { run: () => Promise.reject(new RetryError('soon', { afterMs: 1 })) },
  state: { state: boom, run: () => {} },
  'state rejects': { state: () => Promise.reject(new Error('state')), run: () => {} },
  retryIf: { retryIf: boom, run: boom },
  'retryIf rejects': { retryIf: () => Promise.reject(new Error('retryIf')) as never, run: boom },
  around: { run: () => {} },
  'kill throws, then the body ends': {
    timeoutMs: 5,
    state: gate,
    run: {
      run: (ctx) => (ctx.state as Gate).passed,
      kill: (ctx) => {
        setImmediate((ctx.state as Gate).open);
        boom();
      },
    },
  },
  'rejects after it was abandoned': {
    timeoutMs: 5,
    maxRetries: 0,
    onOverrun: 'abandon',
    run: () => abandoned.passed.then(boom),
  },
  'listener throws': {
    timeoutMs: 5,
    maxRetries: 0,
    run: (ctx) => {
      ctx.onCancel(boom);
      ctx.onCancel((() => Promise.reject(new Error('listener'))) as never);
      return ctx.sleep(3_600_000);
    },
  },
  'value with hostile methods': { run: () => ({ toJSON: boom, toString: boom }) },
};

const outcomes = await Promise.all(
  Object.entries(SPECS).map(async ([name, spec]) => {
    const submission = supervisor.submit({ name, ...spec });
    return [name, (await submission.outcome).kind] as const;
  }),
);
await supervisor.idle();
abandoned.open();
while (supervisor.snapshot().abandonedAlive > 0) await turn();
await turn();
const { abandonedAlive } = supervisor.snapshot();
const { clean, eventsDropped } = await supervisor.shutdown();
console.log(
  JSON.stringify({
    outcomes: Object.fromEntries(outcomes),
    abandonedAlive,
    clean,
    eventsDropped: eventsDropped > 0,
    frozen: Object.isFrozen(Array.prototype),
  }),
);
