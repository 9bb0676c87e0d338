import { OptionError } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../src/ext/dashboard/fleet-reader.ts';
import { world } from './world.ts';

const LOOK = {
  processes: [{ name: 'a', isSelf: true, held: 1, waiting: 0, expiresInMs: 9_000 }],
  slots: [{ slot: 's', holder: 'a', isOurs: true, fence: 7n, line: ['b'], waiting: 1 }],
  more: false,
};

function fleetOf(look: (query: { readonly q: string }) => unknown = () => LOOK) {
  const clock = new VirtualClock();
  const asked: unknown[] = [];
  const fleet = new Fleet(
    {
      look: async (query) => {
        asked.push(query);
        return (await look(query)) as typeof LOOK;
      },
    },
    clock,
  );
  return { clock, fleet, asked };
}

it('the fleet is shown as JSON can hold it, with the moment at which it was read', async () => {
  const { fleet, asked, clock } = fleetOf();
  const page = await fleet.page('s');
  expect(page).toEqual({ ...LOOK, slots: [{ ...LOOK.slots[0], fence: '7' }], at: clock.wallNow() });
  expect(asked).toEqual([{ q: 's', limit: 200 }]);
  expect(clock.timers).toBe(0);
});

it('it is read at most every five seconds for each text, and only when it is asked for', async () => {
  const { fleet, asked, clock } = fleetOf();
  const pages = [fleet.page(''), fleet.page('')];
  await clock.advance(4_999);
  await Promise.all([...pages, fleet.page('')]);
  expect(asked).toHaveLength(1);
  await fleet.page('s');
  expect(asked).toHaveLength(2);
  await clock.advance(60_000);
  expect(asked).toHaveLength(2);
  await fleet.page('');
  expect(asked).toHaveLength(3);
});

describe('where the store fails', () => {
  it('the page says so, and shows what was read before', async () => {
    let error: Error | undefined;
    const { fleet, clock } = fleetOf(() => {
      if (error !== undefined) throw error;
      return LOOK;
    });
    const good = await fleet.page('');
    error = new Error('ECONNREFUSED');
    await clock.advance(5_000);
    expect(await fleet.page('')).toEqual({ ...good, error: 'ECONNREFUSED' });
    expect(fleet.latest.error).toBe('ECONNREFUSED');
    await clock.advance(10_001);
    expect(fleet.latest).toEqual({});
    error = undefined;
    expect((await fleet.page('')).error).toBeUndefined();
  });

  it('or does not answer, it is waited for no longer than five seconds', async () => {
    const { fleet, clock } = fleetOf(() => new Promise(() => {}));
    const page = fleet.page('');
    await clock.advance(5_000);
    expect(await page).toMatchObject({ processes: [], slots: [], more: false, error: 'no answer within 5000 ms' });
    expect(clock.timers).toBe(0);
  });

  it('or refuses the text, or answers nonsense, nothing is thrown', async () => {
    const refusing = fleetOf(({ q }) => {
      throw new OptionError('q', 'must not have a zero', q);
    });
    expect((await refusing.fleet.page('\0')).error).toMatch(/must not have a zero/);
    for (const nonsense of [undefined, 5, {}, { slots: 5 }])
      expect((await fleetOf(() => nonsense).fleet.page('')).error).toBeTypeOf('string');
  });
});

it('a text that was not asked for lately is forgotten', async () => {
  const { fleet, asked } = fleetOf();
  for (let i = 0; i < 21; i += 1) await fleet.page(`q${i}`);
  await fleet.page('q20');
  expect(asked).toHaveLength(21);
  await fleet.page('q0');
  expect(asked).toHaveLength(22);
});

describe('over HTTP', () => {
  it('the fleet is there only with the option', async () => {
    expect((await world().ask('api/fleet')).json).toMatchObject({ error: { code: 'noFleet' } });
    const { ask } = world({ fleet: { look: async () => LOOK } });
    expect((await ask('api/fleet?q=s')).json).toMatchObject({ slots: [{ fence: '7' }] });
    expect((await ask(`api/fleet?q=${'x'.repeat(201)}`)).status).toBe(400);
    expect((await ask('api/summary')).json).toMatchObject({ views: ['slots', 'failures', 'events', 'fleet'] });
  });

  it('a store that throws at once is an error of the page', async () => {
    const { ask } = world({
      fleet: {
        look: () => {
          throw new Error('closed');
        },
      },
    });
    const { status, json } = await ask('api/fleet');
    expect([status, json]).toEqual([200, expect.objectContaining({ error: 'closed' })]);
  });
});
