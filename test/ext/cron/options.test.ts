import { OptionError, Supervisor } from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { far, revoked } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

const task = { run: () => 1 };
const CRON = { cron: '* * * * *', task };
const claims = { claim: async () => true, last: async () => undefined };
const CLAIMED = { name: 'n', claims, cron: '* * * * *', timezone: 'UTC', task: { ...task, slot: 's' } };

describe('an invalid option throws an OptionError with its field, the rule and the value, and has no effect', () => {
  const rows: readonly [options: unknown, field: string, text: RegExp][] = [
    [undefined, 'options', /must be an object, such as \{ cron, task \}, got undefined/],
    ['0 4 * * *', 'options', /must be an object, such as \{ cron, task \}, got "0 4 \* \* \*"/],
    [[], 'options', /must be an object, got an array/],
    [{ ...CRON, protect: true }, 'protect', /is not an option \(did you mean task.admission\?\), got true/],
    [{ ...CRON, wakes: true }, 'wakes', /is not an option \(known: cron, everyMs, at, .*\), got true/],
    [{ ...CRON, timeZone: 'UTC' }, 'timeZone', /is not an option \(did you mean timezone\?\), got "UTC"/],
    [{ ...CRON, maxRun: 3 }, 'maxRun', /is not an option \(did you mean maxRuns\?\), got 3/],
    [{ task }, 'options', /needs one of cron, everyMs, at/],
    [{ cron: '* * * * *' }, 'task', /must be given/],
    [{ ...CRON, everyMs: 5 }, 'everyMs', /must not be combined with cron, got 5/],
    [{ ...CRON, at: 5 }, 'at', /must not be combined with cron/],
    // The message of the parser is included.
    [
      { cron: '61 * * * *', task },
      'cron',
      /must be a cron expression \(minute '61' must be from 0 to 59\), got "61 \* \* \* \*"/,
    ],
    [{ cron: 'hourly', task }, 'cron', /\(it must have 5 to 7 fields, and has 1\)/],
    [{ cron: '', task }, 'cron', /\(it must have 5 to 7 fields, and has 0\)/],
    [{ cron: '@reboot', task }, 'cron', /\('@reboot' is no date: submit the task/],
    [{ cron: '* ? * * *', task }, 'cron', /hour '\?' is for the two day fields only/],
    [{ cron: '2030-01-01T00:00:00', task }, 'cron', /is a date: use the option at/],
    [{ cron: 5, task }, 'cron', /must be a string, got 5/],
    [{ cron: '0 0 30 2 *', task }, 'cron', /must have a future run, got "0 0 30 2 \*"/],
    [{ cron: '0 0 0 1 1 * 2019', task }, 'cron', /must have a future run/],
    [{ ...CRON, timezone: 'Mars/Phobos' }, 'timezone', /\(Invalid time zone specified: Mars\/Phobos\)/],
    [{ ...CRON, timezone: '' }, 'timezone', /must be the name of a time zone/],
    [{ ...CRON, timezone: 2 }, 'timezone', /must be the name of a time zone, got 2/],
    ...[0, 0.5, -1, Number.NaN, Infinity, '5', 5n].map((everyMs): [unknown, string, RegExp] => [
      { everyMs, task },
      'everyMs',
      /must be a number of ms, 1 or more/,
    ]),
    ...[Number.NaN, Infinity, new Date('never'), null, true].map((at): [unknown, string, RegExp] => [
      { at, task },
      'at',
      /must be a valid Date, epoch ms or ISO 8601 text/,
    ]),
    ...['tomorrow', '2030-01-01', '01/02/2030', '2030-01-01 00:00:00', '20300101T000000'].map(
      (at): [unknown, string, RegExp] => [{ at, task }, 'at', /must have a date and a time/],
    ),
    ...['2030-02-30T00:00', '2030-02-30T00:00:00Z', '2030-13-01T00:00', '2030-01-01T25:00', '2030-01-01T00:61:00Z'].map(
      (at): [unknown, string, RegExp] => [{ at, timezone: 'Europe/Berlin', task }, 'at', /must be a date that exists/],
    ),
    [{ at: '2019-12-31T00:00:00Z', task }, 'at', /must have a future run/],
    [{ ...CRON, startAt: Infinity }, 'startAt', /must be a valid Date/],
    [{ ...CRON, startAt: '2020-02-01T00:00', endAt: '2020-02-01T00:00' }, 'endAt', /must be later than startAt/],
    [{ ...CRON, endAt: '2020-01-01T00:00:00Z' }, 'endAt', /must leave a future run, got "2020-01-01T00:00:00Z"/],
    [{ everyMs: 1_000, endAt: Date.UTC(2019, 0, 1), task }, 'endAt', /must leave a future run, got 1546300800000/],
    ...[0, 1.5, -1, Number.NaN, '1'].map((maxRuns): [unknown, string, RegExp] => [
      { ...CRON, maxRuns },
      'maxRuns',
      /must be a whole number, 1 or more/,
    ]),
    [{ ...CRON, jitterMs: -1 }, 'jitterMs', /must be a number from 0/],
    [{ ...CRON, toleranceMs: Number.NaN }, 'toleranceMs', /must be a number from 0/],
    [{ ...CRON, historySize: 10_001 }, 'historySize', /must be a whole number from 0 to 10000/],
    [{ ...CRON, missed: 'all' }, 'missed', /must be 'skip', 'once' or \{ catchUp: n \}, got "all"/],
    [{ ...CRON, missed: null }, 'missed', /must be 'skip', 'once' or \{ catchUp: n \}, got null/],
    [{ ...CRON, missed: { catchUp: 0 } }, 'missed.catchUp', /must be a whole number from 1 to 1000/],
    [{ ...CRON, missed: { catchup: 2 } }, 'missed.catchup', /is not an option \(did you mean catchUp\?\), got 2/],
    [{ ...CRON, random: 4 }, 'random', /must be a function, got 4/],
    [{ ...CRON, onError: {} }, 'onError', /must be a function, got an object/],
    [{ ...CRON, name: '' }, 'name', /must not be empty/],
    [{ ...CRON, name: 5 }, 'name', /must be a string, got 5/],
    ...[null, 5, {}, { claim: () => {} }, { claim: 5, last: () => {} }, revoked()].map(
      (claims): [unknown, string, RegExp] => [
        { ...CRON, claims },
        'claims',
        /must have the methods claim and last|must be readable/,
      ],
    ),
    // With claims, every process must find the same dates under the same name.
    [{ ...CLAIMED, name: undefined }, 'name', /must be given with claims, got undefined/],
    [{ ...CLAIMED, task }, 'task.slot', /must be given with claims \(or task\.name\)/],
    [{ ...CLAIMED, timezone: undefined }, 'timezone', /must be given with claims/],
    [{ ...CLAIMED, cron: undefined, everyMs: 5 }, 'startAt', /must be given with claims and everyMs/],
    [{ ...CLAIMED, cron: undefined, at: '2030-01-01T00:00', timezone: undefined }, 'timezone', /must be given with/],
    [
      { ...CLAIMED, cron: undefined, everyMs: 5, startAt: '2030-01-01T00:00', timezone: undefined },
      'timezone',
      /must be given with claims/,
    ],
    // The supervisor refuses these.
    [{ cron: '* * * * *', task: 5 }, 'task', /must be an object/],
    [{ cron: '* * * * *', task: {} }, 'task.run', /must be a function/],
    [{ cron: '* * * * *', task: { run: { run: () => 1 } } }, 'task.run.kill', /must be a function/],
    [{ cron: '* * * * *', task: { ...task, slot: '' } }, 'task.slot', /must not be empty/],
    [
      { cron: '* * * * *', task: { ...task, name: 'n', slot: undefined } },
      'task.slot',
      /must be a string; leave it out for a slot of its own, got undefined/,
    ],
    [{ cron: '* * * * *', task: { ...task, admission: 'drop' } }, 'task.admission', /must be one of/],
    [{ cron: '* * * * *', task: { ...task, overlap: true } }, 'task.overlap', /is not an option/],
    [
      {
        ...CRON,
        get maxRuns(): number {
          throw new Error('not today');
        },
      },
      'maxRuns',
      /must be readable, got an error when it was read: not today/,
    ],
    [
      {
        ...CRON,
        task: {
          get run(): never {
            throw new Error('not today');
          },
        },
      },
      'task.run',
      /must be readable/,
    ],
    [
      { ...CRON, startAt: revoked() },
      'startAt',
      /must be a valid Date, epoch ms or ISO 8601 text, got a value that cannot/,
    ],
    [{ ...CRON, missed: revoked() }, 'missed', /must be readable/],
    [revoked(), 'options', /must be readable/],
  ];
  for (const [options, field, text] of rows)
    test(`${field}: ${text.source}`, () => {
      const { supervisor, clock } = setup();
      const make = () => schedule(supervisor, options as never);
      expect(make).toThrow(OptionError);
      expect(make).toThrow(expect.objectContaining({ field, message: expect.stringMatching(text) }));
      expect(clock.timers).toBe(0);
      expect(supervisor.snapshot().totals.submitted).toBe(0);
    });

  test('supervisor: must be a Supervisor', () => {
    for (const other of [undefined, null, {}, 5, revoked()])
      expect(() => schedule(other as never, CRON)).toThrow(expect.objectContaining({ field: 'supervisor' }));
  });

  test('count of next: must be a whole number from 0 to 1,000', () => {
    const made = schedule(setup().supervisor, CRON);
    expect(made.next(0)).toEqual([]);
    expect(made.next(1_000)).toHaveLength(1_000);
    for (const count of [-1, 0.5, 1_001, Infinity, '1']) expect(() => made.next(count as number)).toThrow(OptionError);
  });
});

describe('an update that leaves no future run throws an OptionError with the updated field', () => {
  const end = '2020-01-01T00:30';
  const rows: readonly [options: object, update: object, field: string, text: RegExp][] = [
    [CRON, { endAt: '2019-12-31T00:00' }, 'endAt', /must leave a future run, got "2019-12-31T00:00"/],
    [{ everyMs: 60_000, task }, { endAt: 5 }, 'endAt', /must leave a future run, got 5/],
    [{ ...CRON, endAt: end }, { cron: '0 5 * * *' }, 'cron', /must have a future run, got "0 5 \* \* \*"/],
    [{ cron: '45 * * * *', task }, { endAt: end }, 'endAt', /must leave a future run/],
    [{ ...CRON, endAt: end }, { startAt: '2020-01-01T01:00' }, 'startAt', /must be earlier than endAt/],
    [{ ...CRON, startAt: '2020-01-01T01:00' }, { endAt: end }, 'endAt', /must be later than startAt/],
    [{ at: '2020-01-01T06:00', task }, { timezone: 'Asia/Tokyo' }, 'timezone', /must leave a future run, got "Asia/],
    [{ at: '2020-01-01T06:00', task }, { startAt: '2020-01-02T00:00' }, 'startAt', /must leave a future run/],
    [{ at: '2020-01-01T06:00', task }, { at: '2019-01-01T06:00' }, 'at', /must have a future run/],
  ];
  for (const [options, update, field, text] of rows)
    test(`${JSON.stringify(options)} with ${JSON.stringify(update)}: ${field}`, () => {
      const made = schedule(setup().supervisor, { timezone: 'UTC', ...options } as never);
      const before = made.next(3);
      const change = () => made.update(update);
      expect(change).toThrow(
        expect.objectContaining({ name: 'OptionError', field, message: expect.stringMatching(text) }),
      );
      expect(made.next(3)).toEqual(before);
    });
});

describe('valid options', () => {
  test.for<readonly [what: string, options: object]>([
    ['an expression in a zone', {}],
    ['a task with a name and no slot', { task: { ...task, name: 't' } }],
    ['a fixed rate with a start', { cron: undefined, everyMs: 5, startAt: 0, timezone: undefined }],
    ['a date with an offset', { cron: undefined, at: '2030-01-01T00:00:00+01:00', timezone: undefined }],
    ['a date in ms', { cron: undefined, at: Date.UTC(2030, 0, 1), timezone: undefined }],
    ['a date without an offset, in a zone', { cron: undefined, at: '2030-01-01T00:00' }],
  ])('claims may be given with %s', ([, options]) => {
    expect(schedule(setup().supervisor, { ...CLAIMED, ...options } as never).status).toBe('active');
  });

  test.for<readonly [what: string, update: object, field: string]>([
    ['a fixed rate without a start', { everyMs: 5 }, 'startAt'],
    ['a task of its own slot', { task }, 'task.slot'],
  ])('with claims, an update to %s is refused', ([, update, field]) => {
    const made = schedule(setup().supervisor, CLAIMED);
    expect(() => made.update(update)).toThrow(expect.objectContaining({ name: 'OptionError', field }));
  });

  test('a task may need the defaults of its supervisor to be complete', () => {
    const options = { ...CRON, task: { ...task, intervalMs: 5 } };
    expect(() => schedule(new Supervisor(), options)).toThrow(expect.objectContaining({ field: 'task.intervalMs' }));
    const supervisor = new Supervisor({ defaults: { restart: 'always' } });
    expect(schedule(supervisor, options).stop()).toBeInstanceOf(Promise);
  });

  test('making a schedule submits nothing and counts nothing', () => {
    const { supervisor } = setup();
    schedule(supervisor, CRON);
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 0, rejected: 0 });
  });

  const day = Date.UTC(2030, 2, 31);
  const HOUR = 3_600_000;
  const moments: readonly [at: Date | string | number, ms: number][] = [
    [new Date(day), day],
    [far(`new Date(${day})`) as Date, day],
    [Object.assign(new Date(day), { getTime: () => 0 }), day],
    [day + 0.7, day],
    ['2030-03-31T12:00:00Z', day + 12 * HOUR],
    ['2030-03-31T12:00:00.25+05:30', day + 6.5 * HOUR + 250],
    ['2030-03-31T12:00', day + 10 * HOUR],
    ['2030-03-31T12:00:01.250', day + 10 * HOUR + 1_250],
    ['2030-03-31T02:30:00', day + 1.5 * HOUR], // skipped: moved to 3:30
    ['2030-10-27T02:30:00', Date.UTC(2030, 9, 27, 0, 30)], // repeated: the first one counts
  ];
  for (const [at, ms] of moments)
    test(`at ${String(at)} in Berlin is ${new Date(ms).toISOString()}`, () => {
      const made = schedule(setup().supervisor, { at, timezone: 'Europe/Berlin', task });
      expect(made.next()).toEqual([new Date(ms)]);
    });

  test('a Date or a policy that is changed after the call has no effect', () => {
    const at = new Date(Date.UTC(2020, 5, 1));
    const missed = { catchUp: 2 };
    const made = schedule(setup().supervisor, { at, missed, task });
    at.setFullYear(2021);
    missed.catchUp = -1;
    expect(made.next()).toEqual([new Date(Date.UTC(2020, 5, 1))]);
  });

  test('value, state and date keep their types; two kinds of dates at once do not compile', async () => {
    const { supervisor } = setup();
    const run = (ctx: { state: number }, due: Date) => ctx.state + due.getUTCFullYear();
    const made = schedule(supervisor, { cron: '@yearly', task: { state: () => 1, run } });
    const value: Promise<number> = made.trigger().value();
    // @ts-expect-error the value is a number (this fails if the types are `any`)
    const wrong: Promise<string> = made.trigger().value();
    // @ts-expect-error only one kind of dates
    expect(() => schedule(supervisor, { cron: '@yearly', everyMs: 5, task })).toThrow(OptionError);
    // @ts-expect-error one kind of dates is required
    expect(() => schedule(supervisor, { task })).toThrow(OptionError);
    made.update({ everyMs: 5_000 });
    expect(await value).toBe(2021);
    await expect(wrong).rejects.toThrow(/slotBusy/);
  });

  test('an expression without timezone is read in the zone of the process', () => {
    const made = schedule(setup().supervisor, { cron: '0 0 1 6 *', task });
    expect(made.next()).toEqual([new Date(2020, 5, 1)]);
  });

  // For these zones the platform reports no name, or one that it does not accept itself.
  for (const zone of ['', 'Nowhere/Land', 'UTC+3'])
    test(`expressions are read in the local time of Date when TZ is ${JSON.stringify(zone)}`, async () => {
      const before = process.env.TZ;
      process.env.TZ = zone;
      try {
        expect(new Date(0).getTimezoneOffset()).toBe(zone === 'UTC+3' ? 180 : 0);
        const { supervisor, clock } = setup();
        const [cron, at] = ['0 0 1 6 *', '2020-06-01T00:00'].map((when, i) =>
          schedule(supervisor, { [i === 0 ? 'cron' : 'at']: when, task } as never),
        );
        expect([cron?.next(), at?.next()]).toEqual([[new Date(2020, 5, 1)], [new Date(2020, 5, 1)]]);
        const { totals } = schedule(supervisor, { cron: '* * * * *', task });
        await clock.advance(60_000);
        expect(totals.errors).toBe(0);
      } finally {
        if (before === undefined) delete process.env.TZ;
        else process.env.TZ = before;
      }
    });

  test('an error message stays short, however long the text is', () => {
    const long = 'secret '.repeat(20_000);
    const rows = [
      { cron: long },
      { cron: `${long.replaceAll(' ', '')} * * * *` },
      { cron: '* * * * *', timezone: long },
    ];
    for (const row of rows) {
      const make = () => schedule(setup().supervisor, { ...row, task } as never);
      expect(make).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{20,400}$/) }));
    }
  });
});
