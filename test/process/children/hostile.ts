// Code that misbehaves in every way that a library can hold: `hostile.ts`. With `hostile.ts control` one promise escapes, on purpose.

import { FatalError, RetryError, Supervisor, type TaskSpec } from 'slotvisor';

if (process.argv[2] === 'control') void Promise.reject(new Error('control'));

const supervisor = new Supervisor({
  graceMs: 10,
  subscriberGraceMs: 100,
  defaults: { maxRetries: 1, backoff: { firstMs: 1, maxMs: 1 } },
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

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const boom = (): never => {
  throw new Error('boom');
};

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
  'kill throws, then ends': { timeoutMs: 5, run: { run: () => later(60), kill: boom } },
  'rejects after it was given up': {
    timeoutMs: 5,
    maxRetries: 0,
    onOverrun: 'abandon',
    run: () => later(40).then(boom),
  },
  'listener throws': {
    timeoutMs: 5,
    maxRetries: 0,
    run: (ctx) => {
      ctx.onCancel(boom);
      ctx.onCancel((() => Promise.reject(new Error('listener'))) as never);
      return ctx.sleep(1_000);
    },
  },
  'value nobody asks for': { run: () => ({ toJSON: boom, toString: boom }) },
};

const outcomes = await Promise.all(
  Object.entries(SPECS).map(async ([name, spec]) => {
    const submission = supervisor.submit({ name, ...spec });
    return [name, (await submission.outcome).kind] as const;
  }),
);
await supervisor.idle();
await later(60);
const { abandonedAlive } = supervisor.snapshot();
const { withinGrace, eventsDropped } = await supervisor.shutdown();
console.log(
  JSON.stringify({
    outcomes: Object.fromEntries(outcomes),
    abandonedAlive,
    withinGrace,
    eventsDropped: eventsDropped > 0,
    frozen: Object.isFrozen(Array.prototype),
  }),
);
