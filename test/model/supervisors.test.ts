import { Supervisor } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { readSupervisors } from '../../src/model/supervisors.ts';

const [api, jobs] = [new Supervisor(), new Supervisor()];

test('one that is given alone has no name', () => {
  expect(readSupervisors(api)).toEqual([{ supervisor: api }]);
});

test('several keep their names and their order', () => {
  expect(readSupervisors({ jobs, api })).toEqual([
    { name: 'jobs', supervisor: jobs },
    { name: 'api', supervisor: api },
  ]);
});

describe('is refused, with the field that is wrong', () => {
  const throwing = {
    get api(): never {
      throw new Error('no');
    },
  };
  test.for<readonly [what: string, value: unknown, message: RegExp]>([
    ['nothing', undefined, /^supervisor must be a Supervisor, or an object with one or more of them, got undefined/],
    ['a text', 'api', /^supervisor must be a Supervisor, or an object with one or more of them, got "api"/],
    ['an object without any', {}, /^supervisor must be a Supervisor, or an object with one or more of them, got /],
    ['what is no supervisor', { api, jobs: {} }, /^supervisor\.jobs must be a Supervisor, got /],
    ['an absent one', { api: undefined }, /^supervisor\.api must be a Supervisor, got undefined/],
    ['an empty name', { '': api }, /^supervisor\. must not be empty/],
    ['a field that throws', throwing, /^supervisor\.api must be readable/],
  ])('%s', ([, value, message]) => {
    expect(() => readSupervisors(value)).toThrow(message);
  });
});
