// Two copies of the package in one process: `copies.ts <index of the other copy>`. Each recognizes
// the errors of the other.

import * as here from 'slotvisor';

const path = process.argv[2] ?? '';
const there: typeof here = await import(path);

const facts: Record<string, unknown> = {
  apart: here.Supervisor !== there.Supervisor && here.FatalError !== there.FatalError,
};

async function kindOf(run: here.TaskBody): Promise<string> {
  const supervisor = new here.Supervisor();
  const { kind, ...rest } = await supervisor.submit({
    run,
    maxRetries: 1,
    backoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
  }).outcome;
  return `${kind}${'by' in rest ? ` by ${rest.by}` : ''}${'attempts' in rest ? ` ${rest.attempts}` : ''}`;
}
const throwing = (error: unknown) => () => Promise.reject(error);

facts.FatalError = await kindOf(throwing(new there.FatalError('for good')));
facts.RetryError = await kindOf(throwing(new there.RetryError('soon', { afterMs: 0 })));
facts.CanceledError = await kindOf(throwing(new there.CanceledError('done')));

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
const foreign = new there.Supervisor();
const bad = thrownBy(() => foreign.submit({} as never));
const value = await foreign
  .submit({ restart: 'never', run: throwing(1) })
  .value()
  .catch((error: unknown) => error);
let reason: unknown;
const stopped = foreign.submit({ run: (ctx) => ctx.sleep(3_600_000).catch((error: unknown) => (reason = error)) });
let timeout: unknown;
const late = foreign.submit({
  restart: 'never',
  timeoutMs: 1,
  run: (ctx) => ctx.sleep(3_600_000).catch((error) => (timeout = error)),
});
await late.outcome;
await stopped.cancel();
await foreign.shutdown();
const closed = thrownBy(() => foreign.submit({ run: () => {} }));

facts.instances = {
  OptionError: bad instanceof here.OptionError,
  OutcomeError: value instanceof here.OutcomeError,
  CanceledError: reason instanceof here.CanceledError,
  TimeoutError: timeout instanceof here.TimeoutError && timeout instanceof here.CanceledError,
  ClosedError: closed instanceof here.ClosedError,
};
facts.strangers = [bad, value, reason, closed].map(
  (error) => error instanceof here.FatalError || error instanceof here.RetryError,
);

/** For a subclass, `instanceof` works as in the language: the subclass belongs to its copy. */
class Own extends here.FatalError {}
facts.subclass = [new Own('x') instanceof here.FatalError, new there.FatalError('x') instanceof Own];

console.log(JSON.stringify(facts));
