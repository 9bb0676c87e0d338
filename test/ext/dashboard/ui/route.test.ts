import { describe, expect, it } from 'vitest';
import {
  changed,
  elsewhere,
  eventsQuery,
  filtersOf,
  hashOf,
  parseRoute,
  streamQuery,
} from '../../../../src/ext/dashboard/ui/route.ts';

const at = parseRoute;

describe('the hash', () => {
  it.for([
    '#slots',
    '#slots?of=billing&q=tenant+%26+more&group=sync&status=overrun%2Cfailing&sort=waiting&offset=50&limit=200',
    '#failures?step=minute',
    '#events?slot=sync%3Aa&kind=all&types=rejected&from=1700000000000&to=1700000059999',
    '#schedules',
    '#fleet?q=a',
  ])('%s stays as it is when it is read and written', (hash) => {
    expect(hashOf(at(hash))).toBe(hash);
  });

  it('keeps every character of a name', () => {
    const slot = '#?&=%25+ \u202e"ä\n';
    expect(at(hashOf({ ...at('#slots'), slot })).slot).toBe(slot);
  });

  it.for<readonly [hash: string, means: string]>([
    ['', '#slots'],
    ['#', '#slots'],
    ['#nowhere?q=a', '#slots?q=a'],
    ['#slots?sort=sideways&limit=7&offset=-1', '#slots'],
    ['#events?kind=odd&from=soon&to=1e3', '#events'],
    ['#slots?step=hour', '#slots'],
  ])('%s means %s', ([hash, means]) => {
    expect(hashOf(at(hash))).toBe(means);
  });

  it('cuts a text that the server would refuse', () => {
    expect(at(`#slots?q=${'a'.repeat(300)}`).q).toHaveLength(200);
  });
});

describe('a change', () => {
  const third = at('#slots?q=a&offset=100&slot=s');

  it('that narrows differently begins at the first page', () => {
    expect(hashOf(changed(third, { q: 'b' }))).toBe('#slots?q=b&slot=s');
    expect(hashOf(changed(third, { sort: 'name' }))).toBe('#slots?q=a&sort=name&slot=s');
  });

  it('that narrows as before stays on the page', () => {
    expect(hashOf(changed(third, { q: 'a', slot: '' }))).toBe('#slots?q=a&offset=100');
    expect(changed(third, { offset: 150 }).offset).toBe(150);
  });
});

it('a link of the server keeps the supervisor and the step, and no filter', () => {
  const from = at('#events?of=billing&q=a&step=minute&slot=s&kind=all');
  expect(hashOf(elsewhere(from, { status: 'overrun', group: 'sync' }))).toBe(
    '#slots?of=billing&group=sync&status=overrun&step=minute',
  );
});

it('the stream is asked for what the view shows, and for no more', () => {
  expect(streamQuery(at('#slots?q=a&kind=all&from=5'))).toBe('view=slots&q=a&limit=50');
  expect(streamQuery(at('#events?q=a&from=5'))).toBe('view=events&kind=notable');
  expect(streamQuery(at('#failures?q=a&slot=s&of=b&step=minute'))).toBe('of=b&view=failures&slot=s&step=minute');
  expect(streamQuery(at('#fleet?q=a'))).toBe('view=fleet&q=a');
});

it('remembered events are asked for with all that narrows them', () => {
  const route = at('#events?q=a&slot=s&types=rejected&from=5&to=9&kind=rejected&of=b');
  expect(eventsQuery(route, 0, 100)).toBe('of=b&kind=rejected&q=a&slot=s&types=rejected&from=5&to=9&limit=100');
  expect(eventsQuery(at('#events'), 77, 100)).toBe('kind=notable&before=77&limit=100');
});

it('says what narrows the slots', () => {
  expect(filtersOf(at('#slots?q=a&status=overrun&types=x'))).toEqual([
    ['q', 'a'],
    ['status', 'overrun'],
  ]);
});
