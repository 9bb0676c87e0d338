// state() makes fresh state for each attempt.

import { FatalError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { fail, script } from '../../support/scripted-body.ts';
import { setup } from '../../support/setup.ts';

describe('state()', () => {
  test('state() is called before each attempt, so each retry has fresh state', async () => {
    const { supervisor, clock } = setup();
    let made = 0;
    const seen: { serial: number; touched: boolean }[] = [];
    const submission = supervisor.submit({
      backoff: PLAIN_BACKOFF,
      state: () => {
        made += 1;
        return { serial: made, touched: false };
      },
      run: (ctx) => {
        seen.push({ ...ctx.state });
        ctx.state.touched = true;
        return ctx.attempt < 3 ? fail() : 'done';
      },
    });
    expect(made).toBe(0); // no user code inside submit
    await clock.advance(300);
    expect(await submission.value()).toBe('done');
    expect(seen).toEqual([1, 2, 3].map((serial) => ({ serial, touched: false })));
  });

  test('a state() that throws fails the attempt, and the body is not called', async () => {
    const { supervisor, clock } = setup();
    const body = script(() => 'ran');
    let calls = 0;
    const submission = supervisor.submit({
      backoff: PLAIN_BACKOFF,
      state: () => {
        calls += 1;
        return calls === 1 ? fail('no state') : undefined;
      },
      run: body.run,
    });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'ran', attempts: 2 });
    expect(body.starts).toEqual([2]);
  });

  test('a state() that throws a FatalError ends the task as fatal', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit({
      state: () => {
        throw new FatalError('nothing to start from');
      },
      run: () => 'never',
    });
    expect(await submission.outcome).toMatchObject({ kind: 'fatal', attempts: 1 });
  });
});
