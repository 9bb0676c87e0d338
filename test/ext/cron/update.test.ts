// Updates: where new dates count from, what is left alone, and what is decided first.

import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, SECOND, START, world } from './world.ts';

describe('an update of timezone or endAt', () => {
  for (const missed of ['skip', 'once'] as const)
    for (const paused of [false, true])
      test(`to a zone in which the date is past does not run it: ${missed}, ${paused ? 'paused' : 'active'}`, async () => {
        const { clock, make } = world(START + 6 * HOUR);
        const made = make({ cron: '0 9 * * *', timezone: 'America/New_York', missed });
        await clock.advance(14 * HOUR);
        if (paused) made.schedule.pause();
        // In the new zone it was nine o'clock three hours ago.
        made.schedule.update({ timezone: 'America/Los_Angeles' });
        made.schedule.resume();
        await clock.advance(SECOND);
        expect(made.dues).toEqual(['14:00:00']);
        expect(made.schedule.next()).toEqual([new Date(START + 41 * HOUR)]);
        expect(made.schedule.totals.missed).toBe(0);
      });

  test('to a zone in which the date is past does not run it, even before the first run', async () => {
    const { clock, make } = world(START + 6 * HOUR);
    const made = make({ cron: '0 9 * * *', timezone: 'America/New_York', missed: 'once' });
    await clock.advance(4 * HOUR);
    made.schedule.update({ timezone: 'Europe/Berlin' });
    await clock.advance(SECOND);
    expect(made.dues).toEqual([]);
    expect(made.schedule.next()).toEqual([new Date(START + 32 * HOUR)]);
  });

  test('that moves a single date slightly into the past runs it at once', async () => {
    const { clock, make } = world(START + 6 * HOUR);
    const made = make({ at: '2020-01-01T09:00', timezone: 'America/New_York' });
    await clock.advance(2 * HOUR + 30 * SECOND);
    made.schedule.update({ timezone: 'Europe/Berlin' });
    await clock.advance(SECOND);
    expect(made.dues).toEqual(['08:00:00 at 08:00:30']);
  });

  test('keeps a date that is delayed by jitter', async () => {
    const { clock, make } = world();
    const made = make({ cron: '0 * * * *', jitterMs: 40 * SECOND, random: () => 0.9 });
    await clock.advance(HOUR + 5 * SECOND);
    made.schedule.update({ endAt: '2021-01-01T00:00' });
    await clock.advance(MINUTE);
    expect(made.dues).toHaveLength(1);
    expect(made.schedule.totals).toMatchObject({ submitted: 1, missed: 0 });
  });
});

test('after the wall clock was set back, another expression has no date in the time that is shown again', async () => {
  const { clock, make } = world();
  const made = make({ cron: '0 * * * *' });
  await clock.advance(HOUR + MINUTE);
  clock.setWall(START + 15 * MINUTE);
  made.schedule.update({ cron: '20 * * * *' });
  expect(made.schedule.next()).toEqual([new Date(START + HOUR + 20 * MINUTE)]);
  await clock.advance(HOUR + 6 * MINUTE);
  expect(made.dues).toEqual(['01:00:00', '01:20:00']);
  expect(made.schedule.totals).toMatchObject({ ran: 2, missed: 0, pending: 0 });
});

describe('an update to a startAt slightly in the past', () => {
  const starts: readonly [string, object][] = [
    ['cron', { cron: '* * * * *' }],
    ['everyMs', { everyMs: MINUTE, startAt: START }],
  ];
  for (const [kind, dates] of starts)
    test(`repeats no date of ${kind}`, async () => {
      const { clock, make } = world();
      const made = make(dates);
      await clock.advance(MINUTE + 5 * SECOND);
      made.schedule.update({ startAt: START + MINUTE });
      made.schedule.update({ ...dates, startAt: START + MINUTE } as never);
      await clock.advance(MINUTE);
      expect(made.dues.filter((due) => due.startsWith('00:01:00'))).toEqual(['00:01:00']);
      expect(made.dues.at(-1)).toBe('00:02:00');
    });

  test('repeats no date that a new expression shares with the old one', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * *' });
    await clock.advance(2 * MINUTE + 5 * SECOND);
    made.schedule.update({ cron: '*/2 * * * *', startAt: START + 2 * MINUTE });
    await clock.advance(2 * MINUTE);
    expect(made.dues).toEqual(['00:01:00', '00:02:00', '00:04:00']);
  });

  test('repeats no date on a wall clock that was set back by less than an hour', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * *' });
    await clock.advance(31 * MINUTE);
    clock.setWall(START + 15 * MINUTE);
    made.schedule.update({ cron: '*/10 * * * *', startAt: START + 15 * MINUTE });
    await clock.advance(26 * MINUTE);
    expect(made.dues).toEqual(['00:10:00', '00:20:00', '00:30:00', '00:40:00']);
  });

  test('runs dates again that come up again after the wall clock was set back by over an hour', async () => {
    const { clock, make } = world();
    const made = make({ cron: '*/10 * * * *' });
    await clock.advance(2 * HOUR + 5 * MINUTE);
    clock.setWall(START + 30 * MINUTE + 10 * SECOND);
    made.schedule.update({ startAt: START + 30 * MINUTE });
    await clock.advance(11 * MINUTE);
    expect(made.dues.slice(12)).toEqual(['00:40:00']);
  });

  test('runs the date at startAt itself if it has not run yet', async () => {
    const { clock, make } = world();
    const made = [make({ cron: '0 * * * *' }), make({ everyMs: HOUR })];
    for (const { schedule } of made) schedule.update({ startAt: START });
    await clock.advance(SECOND);
    expect(made.map(({ dues }) => dues)).toEqual([['00:00:00'], ['00:00:00']]);
  });

  test('runs the date at startAt when the kind of dates changes, whatever has run before', async () => {
    const { clock, make } = world();
    const made = make({ cron: '* * * * *' });
    await clock.advance(MINUTE);
    clock.setWall(START + 50 * MINUTE); // the two clocks differ from here on
    await clock.advance(30 * SECOND);
    made.schedule.update({ everyMs: HOUR, startAt: START + 50 * MINUTE + 30 * SECOND });
    await clock.advance(SECOND);
    expect(made.dues.at(-1)).toBe('00:50:30');
  });
});
