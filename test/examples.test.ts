import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { type Ended, linesOf, ROOT, startExample } from './support/example.ts';
import { importsOf } from './support/layers.ts';

/** Every line that each small example prints. */
const OUTPUT: Readonly<Record<string, readonly string[]>> = {
  'quickstart.ts': [
    'orders: started',
    'prices: queued',
    'orders: 42 rows, after 3 attempts',
    'prices: 7 rows',
    //
  ],
  'dedupe-periodic-jobs.ts': [
    'minute 0: started',
    'minute 1: rejected',
    'minute 2: rejected',
    'minute 3: started',
    'minute 4: rejected',
    'minute 5: rejected',
    '4 ticks were dropped, 2 reports were made',
  ],
  'replace-sync-loop.ts': [
    'acme rev 1: started',
    'acme rev 1: began',
    'acme rev 2: queued',
    'acme rev 3: queued',
    'acme rev 2: never began, superseded',
    'acme rev 1: stopping, saves its cursor',
    'acme rev 1: ended',
    'acme rev 3: began',
    'acme rev 3: stopping, saves its cursor',
    'acme rev 3: ended',
    'no loop is left',
  ],
  'http-202-409.ts': [
    'POST /exports: 202 started',
    'POST /exports: 202 queued',
    'POST /exports: 429 queueFull',
    'POST /backups: 202 started',
    'POST /backups: 409 slotBusy',
    'POST /exports: 503 closed',
  ],
  'graceful-shutdown.ts': [
    'SIGTERM: 200 ms to go',
    'next import: rejected',
    'mailer: stopping, delivers its last letter',
    'mailer: canceled',
    'importer: abandoned',
    'all ended within the grace: false',
    'may still be alive: importer',
  ],
  'static-run.ts': [
    'migrate: schema is up to date, attempts: 1',
    'warm-cache: cache is warm, attempts: 3',
    'backup: failed by maxRetries, attempts: 3: no such bucket',
    'billing: given up at once: the licence has expired',
    '2 completed, 1 failed, 1 fatal',
  ],
  'worker-hash.ts': [
    'revision 1: started',
    'revision 1: hashing, round after round',
    'revision 2: queued',
    'revision 1: killed',
    'revision 2: completed',
    'the digests are those of node:crypto: true',
    'blocks that revision 1 hashed after its end: 0',
  ],
  'subprocess.ts': [
    'revision 1: started',
    'revision 1 says: ready',
    'revision 2: queued',
    'revision 1: killed',
    'revision 2 says: page 1',
    'revision 2 says: page 2',
    'revision 2 says: page 3',
    'revision 2: completed',
    'ticks of revision 1 after its end: 0',
  ],
  'cron.ts': [
    'next: 10-24T00:30, 10-25T00:30, 10-26T01:30',
    'poller: 7 dates, 4 dropped, ended',
    'report for 2026-10-23T14:00:00.000Z',
    'by hand: started, then completed',
    'report for 2026-10-24T00:30:00.000Z',
    'report for 2026-10-25T00:30:00.000Z',
    'report for 2026-10-26T01:30:00.000Z',
    'trigger: 0 min late, completed',
    'date: 0 min late, completed',
    'date: 810 min late, completed',
    'date: 0 min late, completed',
    'ended, 0 timers',
  ],
};

const examples = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

test('every example is run here', () => {
  expect(examples.filter((name) => !name.includes('/')).sort()).toEqual([...Object.keys(OUTPUT), 'tour.ts'].sort());
});

test.for(examples)('examples/%s imports the library, Node and its own folder, nothing else', (name) => {
  const text = readFileSync(join(ROOT, 'examples', name), 'utf8');
  const foreign = importsOf({ path: `examples/${name}`, text })
    .filter(({ target }) => target?.startsWith('examples/') !== true)
    .map(({ specifier }) => specifier)
    .filter((specifier) => !/^slotvisor(\/(testing|cron|worker|subprocess))?$/.test(specifier))
    .filter((specifier) => !(specifier.startsWith('node:') && isBuiltin(specifier)));
  expect(foreign).toEqual([]);
});

// The tours take their time; they are begun before the small examples, and looked at after them.
let tours: Promise<[told: Tour, drained: Tour, hastened: Tour]>;
beforeAll(() => {
  tours = Promise.all([takeTour(0), takeTour(1), takeTour(2)]);
});

async function takeTour(interrupts: 0 | 1 | 2): Promise<Tour> {
  const tour = startExample('tour.ts');
  const cues = ['legacy-import started', 'legacy-import overrun']; // it overruns its own grace, in the midst of the shutdown's
  for (const cue of cues.slice(0, interrupts)) {
    await tour.printed(cue);
    tour.signal('SIGINT');
  }
  return new Tour(await tour.ended);
}

describe.concurrent('a small example prints these lines, and ends by itself', () => {
  test.for(Object.keys(OUTPUT))('%s', async (name, { expect }) => {
    const { code, stdout, stderr } = await startExample(name).ended;
    expect({ code, stderr, lines: linesOf(stdout) }).toEqual({ code: 0, stderr: '', lines: OUTPUT[name] });
  });
});

/** What is printed, as the reader takes it in: by slot, without times and padding. */
class Tour {
  readonly ended: Ended;
  readonly lines: readonly string[];
  readonly timeline: readonly { readonly atMs: number; readonly slot: string; readonly said: string }[];

  constructor(ended: Ended) {
    this.ended = ended;
    this.lines = linesOf(ended.stdout);
    this.timeline = this.lines.flatMap((line) => {
      const [, at, slot = '', said = ''] = /^ +(\d+\.\d{3})s {2}(\S+) +(.*)$/.exec(line) ?? [];
      return at === undefined
        ? []
        : [{ atMs: Number(at) * 1_000, slot, said: said.replace(/ +/g, ' ').replace(/\d+ ms/, '# ms') }];
    });
  }

  said(slot: string): string[] {
    return this.timeline.filter((line) => line.slot === slot).map((line) => line.said);
  }

  /** Where in the timeline, counted from its start; there must be such a line. */
  position(slot: string, beginning: string): number {
    const found = this.timeline.findIndex((line) => line.slot === slot && line.said.startsWith(beginning));
    expect(found, `${slot} ${beginning}`).not.toBe(-1);
    return found;
  }

  momentMs(slot: string, beginning: string): number {
    return this.timeline[this.position(slot, beginning)]?.atMs ?? Number.NaN;
  }

  /** The line of the report that begins with this word. */
  reported(word: string): string | undefined {
    return this.lines.find((line) => line.startsWith(`  ${word.padEnd(10)} `))?.slice(13);
  }

  /** The table: a row for each slot, with its counts in the order of the columns; the last one is the total. */
  table(): { columns: string[]; rows: { name: string; counts: number[] }[] } {
    const [head = '', ...rows] = this.lines.slice(this.lines.indexOf('Summary') + 1);
    const cells = (line: string) => line.trim().split(/ +/);
    return {
      columns: cells(head).slice(1),
      rows: rows.slice(0, rows.indexOf('')).map((line) => {
        const [name = '', ...counts] = cells(line);
        return { name, counts: counts.map((count) => (count === '·' ? 0 : Number(count))) };
      }),
    };
  }
}

/** Line by line; only how a line begins is given, for what follows are numbers that differ from run to run. */
function expectBeginnings(lines: readonly string[], beginnings: readonly string[]): void {
  expect(lines.map((line, i) => (line.startsWith(beginnings[i] ?? line) ? (beginnings[i] ?? line) : line))).toEqual(
    beginnings,
  );
}

describe('the tour', () => {
  let told: Tour;
  let drained: Tour;
  let hastened: Tour;

  beforeAll(async () => {
    [told, drained, hastened] = await tours;
  });

  it('is what `npm start` runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.start).toMatch(/tsx examples\/tour\.ts$/);
  });

  it('ends by itself in under ten seconds, with exit code 0 and nothing on stderr', () => {
    expect(told.ended).toMatchObject({ code: 0, stderr: '' });
    expect(told.ended.tookMs).toBeLessThan(10_000);
  });

  it('is plain text where there is no terminal, and fits into one of 80 columns', () => {
    expect(told.ended.stdout).not.toContain('\x1b');
    expect([...told.lines, ...drained.lines].filter((line) => line.length > 80)).toEqual([]);
  });

  it('restarts the poller until its upstream is up: refused, overloaded, answered', () => {
    const said = told.said('poller');
    const attempts = said.filter((line) => line.startsWith('started')).length;
    const threw = said.filter((line) => line.startsWith('threw')).map((line) => line.replace(/\d+\.\d.*/, 'upstream'));
    expect(threw.slice(-3)).toEqual([
      'threw connect ECONNREFUSED upstream',
      'threw HTTP 503: warming up',
      'threw HTTP 503: warming up',
    ]);
    expect(said.filter((line) => line.startsWith('retry in'))).toHaveLength(attempts - 1);
    expect(said.at(-1)).toBe(`completed after ${attempts} attempts`);
  });

  // Each slot's whole story, in order.
  const stories: Readonly<Record<string, readonly string[]>> = {
    'sync:acme': [
      'started revision 1',
      'stopping revision 1, asked by replace',
      'queued revision 2, 1 in queue',
      'saved revision 1,',
      'canceled revision 1',
      'started revision 2',
      'handover revision 2 goes on from what 1 saved',
      'stopping revision 2, asked by shutdown',
      'saved revision 2,',
      'canceled revision 2',
    ],
    'sync:globex': [
      'started revision 1',
      'stopping revision 1, asked by replace',
      'queued revision 2, 1 in queue',
      'rejected revision 2, superseded',
      'queued revision 3, 1 in queue',
      'saved revision 1,',
      'canceled revision 1',
      'started revision 3',
      'handover revision 3 goes on from what 1 saved',
      'stopping revision 3, asked by shutdown',
      'saved revision 3,',
      'canceled revision 3',
    ],
    exports: [
      'queued test.gz, 1 in queue',
      'queued examples.gz, 2 in queue',
      'started src.gz',
      'wrote src.gz,',
      'completed src.gz',
      'started test.gz',
      'wrote test.gz,',
      'completed test.gz',
      'started examples.gz',
      'wrote examples.gz,',
      'completed examples.gz',
    ],
    dashboard: [
      'joined caller 2,',
      'joined caller 3,',
      'started caller 1',
      'completed caller 1',
      'completed caller 2',
      'completed caller 3',
      'shared 1 answer, 1 request upstream',
    ],
    render: [
      'started',
      'stopping asked by caller',
      'overrun # ms after the stop request: kill',
      'killed',
      'is gone 0 frames since its end',
    ],
    encode: [
      'started',
      'printed ready',
      'stopping asked by caller',
      'printed no, thank you',
      'overrun # ms after the stop request: kill',
      'killed',
    ],
    webhook: ['started', 'threw URI malformed', 'failed', 'and yet 4 others run on'],
    'legacy-import': [
      'started',
      'stopping asked by shutdown',
      'overrun # ms after the stop request: hold',
      'overrun # ms after the stop request: abandon',
      'abandoned',
    ],
  };
  for (const [slot, story] of Object.entries(stories)) {
    it(`tells the story of ${slot}`, () => expectBeginnings(told.said(slot), story));
  }

  it('drops the dates that come while the usage report is still running, and only those', () => {
    const words = told.said('usage-report').map((line) => line.split(' ')[0]);
    expect(words).toContain('dropped');
    expect(words.join(' ')).toMatch(/^(started (dropped )*completed ?)+$/);
  });

  it('lets the job that ignores its signal delay nobody: all others have ended long before it', () => {
    const others = told.timeline.filter(({ slot }) => slot !== 'legacy-import');
    expect(told.position('legacy-import', 'started')).toBeLessThan(told.position('exports', 'wrote'));
    expect(others.at(-1)?.atMs).toBeLessThan(told.momentMs('legacy-import', 'overrun'));
  });

  it('sums up: the rows make the total, every submission has one end, and the one still alive is named', () => {
    const { columns, rows } = told.table();
    const total = rows.pop();
    expect(columns).toEqual(['submitted', 'completed', 'failed', 'canceled', 'killed', 'abandoned', 'rejected']);
    expect(rows.map(({ name }) => name).sort()).toEqual(
      [...Object.keys(stories), 'poller', 'tour', 'usage-report'].sort(),
    );
    expect(total?.counts).toEqual(
      columns.map((_, i) => rows.reduce((sum, { counts }) => sum + (counts[i] ?? Number.NaN), 0)),
    );
    const [submitted, ...ends] = total?.counts ?? [];
    expect(ends.reduce((sum, count) => sum + count)).toBe(submitted);
    expect(told.reported('work')).toMatch(/^\d+ attempts, \d+ retries, \d+ dropped, 0 events lost$/);
    expect(told.reported('exclusion')).toBe('most bodies alive at once in one slot: 1');
    expect(told.reported('shutdown')).toBe('cause: finished; not all ended within the grace');
    expect(told.reported('abandoned')).toBe('legacy-import (overrun)');
  });

  it('drains at Ctrl+C: everybody gets the grace, the report is printed, exit code 0', () => {
    expect(drained.ended).toMatchObject({ code: 0, stderr: '' });
    expectBeginnings(drained.said('tour'), ['started', 'stopping asked by shutdown', 'canceled']);
    expectBeginnings(drained.said('sync:acme').slice(-3), [
      'stopping revision 2',
      'saved revision 2',
      'canceled revision 2',
    ]);
    expect(drained.said('exports'), 'nothing starts any more').toEqual([]);
    const grace = drained.momentMs('legacy-import', 'abandoned') - drained.momentMs('legacy-import', 'stopping');
    expect(grace).toBeGreaterThanOrEqual(995);
    expect(drained.reported('shutdown')).toBe('cause: signal; not all ended within the grace');
    expect(drained.reported('abandoned')).toBe('legacy-import (overrun)');
  });

  it('cuts the grace short at a second Ctrl+C, and still sums up', () => {
    expect(hastened.ended).toMatchObject({ code: 0, stderr: '' });
    expectBeginnings(hastened.said('sync:acme').slice(-1), ['canceled revision 2']);
    const grace = hastened.momentMs('legacy-import', 'abandoned') - hastened.momentMs('legacy-import', 'stopping');
    expect(grace).toBeLessThan(1_000);
    expect(hastened.reported('shutdown')).toBe('cause: signal; not all ended within the grace');
    expect(hastened.reported('abandoned')).toBe('legacy-import (overrun)');
  });
});
