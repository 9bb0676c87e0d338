import { OptionError, Supervisor } from 'slotvisor';
import { dashboard } from 'slotvisor/dashboard';
import { describe, expect, it, test } from 'vitest';
import {
  type DashboardSettings,
  parseDashboardOptions,
  parseServeOptions,
  readNamed,
} from '../../../src/ext/dashboard/options.ts';

const one = new Supervisor();
const authorize = () => true;

describe('an invalid argument or option throws an OptionError with its field, the rule and the value', () => {
  const rows: readonly [supervisor: unknown, options: unknown, field: string, text: RegExp][] = [
    [undefined, {}, 'supervisor', /must be a Supervisor, or an object with one or more of them, got undefined/],
    [{}, {}, 'supervisor', /must be a Supervisor, or an object with one or more of them, got an object/],
    [[one], {}, 'supervisor', /must be an object, got an array/],
    [{ api: undefined }, {}, 'supervisor.api', /must be a Supervisor, got undefined/],
    [{ '': one }, {}, 'supervisor.', /must not be empty/],
    [one, null, 'options', /must be an object, got null/],
    [one, { titel: 'x' }, 'titel', /did you mean title\?/],
    [one, { title: '' }, 'title', /must not be empty/],
    [one, { group: 'a' }, 'group', /must be a function, got "a"/],
    [one, { meta: true }, 'meta', /must be a function, got true/],
    [one, { schedules: [] }, 'schedules', /must be a function, got an array/],
    [one, { fleet: {} }, 'fleet', /must be a lease store of slotvisor\/postgres or slotvisor\/redis, got an object/],
    [one, { authorize: true }, 'authorize', /must be a function, got true/],
    [one, { actions: 1 }, 'actions', /must be true or false, got 1/],
    [one, { actions: true }, 'actions', /must not be true without the option authorize, .*, got true/],
    [one, { hosts: 'a' }, 'hosts', /must be an array of host names, got "a"/],
    [one, { hosts: [] }, 'hosts', /must have a host name, got an array/],
    [one, { hosts: ['a', 'b:80'] }, 'hosts[1]', /must be a host name without a port, got "b:80"/],
    [one, { hosts: [''] }, 'hosts[0]', /must not be empty/],
    [one, { maxStreams: 0 }, 'maxStreams', /must be a whole number from 1 to 10000, got 0/],
    [one, { maxStreams: Infinity }, 'maxStreams', /must be a whole number from 1 to 10000, got Infinity/],
    [one, { tickMs: 99 }, 'tickMs', /must be a number from 100 to 60000, got 99/],
    [one, { history: 5 }, 'history', /must be an object, got 5/],
    [one, { history: { event: 5 } }, 'history.event', /did you mean events\?/],
    [one, { history: { minutes: 0.5 } }, 'history.minutes', /must be a whole number from 1 to 10080, got 0.5/],
  ];
  for (const [supervisor, options, field, text] of rows)
    test(`${field}: ${text}`, () => {
      const call = () => dashboard(supervisor as never, options as never);
      expect(call).toThrow(OptionError);
      expect(call).toThrow(expect.objectContaining({ field, message: expect.stringMatching(text) }));
    });

  const serveRows: readonly [options: unknown, field: string, text: RegExp][] = [
    [5, 'options', /must be an object, got 5/],
    [{ port: -1 }, 'port', /must be a whole number from 0 to 65535, got -1/],
    [{ port: '80' }, 'port', /must be a whole number from 0 to 65535, got "80"/],
    [{ host: '' }, 'host', /must not be empty/],
    [{ host: '0.0.0.0' }, 'host', /must be of loopback, unless the option authorize .*, got "0.0.0.0"/],
    [{ host: '::' }, 'host', /must be of loopback/],
    [{ hots: 'localhost' }, 'hots', /did you mean host\?/],
  ];
  for (const [options, field, text] of serveRows)
    test(`of serve: ${field}: ${text}`, async () => {
      const board = dashboard(one);
      const rejection = await board.serve(options as never).catch((error: unknown) => error);
      board.close();
      expect(rejection).toBeInstanceOf(OptionError);
      expect(rejection).toMatchObject({ field, message: expect.stringMatching(text) });
    });
});

it('the defaults are the documented ones', () => {
  expect(parseDashboardOptions({ group: undefined })).toMatchObject({
    title: 'slotvisor',
    actions: false,
    hosts: undefined,
    authorize: undefined,
    maxStreams: 20,
    tickMs: 1_000,
    history: { events: 5_000, notable: 5_000, problems: 200, slots: 1_000, attempts: 32, minutes: 1_440 },
  });
  expect(parseServeOptions({}, {} as DashboardSettings)).toEqual({ port: 0, host: '127.0.0.1' });
});

it('hosts are kept in one spelling, and history takes single options', () => {
  const settings = parseDashboardOptions({
    hosts: ['A.Example.', '::1'],
    history: { problems: 5 },
    actions: true,
    authorize,
  });
  expect(settings.hosts).toEqual(['a.example', '[::1]']);
  expect(settings.history).toMatchObject({ problems: 5, events: 5_000 });
});

it('a server may listen at another host if there is an authorize', () => {
  expect(parseServeOptions({ host: '0.0.0.0' }, parseDashboardOptions({ authorize }))).toMatchObject({
    host: '0.0.0.0',
  });
});

it('a single supervisor has the name default, and several have their keys', () => {
  expect(readNamed(one)).toEqual([{ name: 'default', supervisor: one }]);
  expect(readNamed({ api: one, 'a/b': one }).map(({ name }) => name)).toEqual(['api', 'a/b']);
});
