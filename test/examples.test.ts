import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { type Ended, EXAMPLES, linesOf, ROOT, serverOf, startExample } from './support/example.ts';
import { importsOf } from './support/layers.ts';

/** What each HTTP service prints. Its requests take longer than its delay. */
const SERVED: readonly string[] = [
  'load: on',
  'not ready; alive: 200',
  'server: closed',
  'report: cause signal, clean true',
  'clients: every answer was 200',
  'exit code 0',
];

/** The complete output of each small example. */
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
  'resident-consumer.ts': [
    '00:00:00.000 attempt 1: connection refused',
    '00:00:00.000 retry in 200 ms',
    '00:00:00.200 attempt 2: connection refused',
    '00:00:00.200 retry in 400 ms',
    '01:00:00.600 attempt 3: connection lost',
    '01:00:00.600 retry in 200 ms',
    '02:35:00.800 attempt 4: no heartbeat for 300000 ms',
    '02:35:00.800 retry in 200 ms',
    '05:00:00.000 running, 294 messages handled',
    '05:00:00.000 canceled, 0 timers left',
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
    'busy with the first backup: true',
    'POST /reports: 202 started',
    'POST /reports: 202 joined',
    'others that share the report: 1',
    'POST /exports: 503 closed',
  ],
  'graceful-shutdown.ts': [
    'load: on',
    'signal: not ready',
    'http: closed',
    'consumer: takes no more messages',
    'connection: closed',
    'report: cause signal, clean true',
    'load: every answer was 200',
    'the process exits by itself, with 0',
  ],
  'http-node.ts': SERVED,
  'http-fastify.ts': SERVED,
  'http-express.ts': SERVED,
  'nestjs.ts': [
    'orders: consuming',
    'PUT /tenants/acme/revisions/1: 200 started',
    'acme revision 1: saved, the database is open',
    'watch: sync:acme canceled',
    'PUT /tenants/acme/revisions/2: 200 queued',
    'report: written',
    'watch: Reports.nightly completed',
    'POST /reports: 201 started',
    'GET /health: 200 up',
    'ready for SIGTERM',
    'orders: saved, the database is open',
    'acme revision 2: saved, the database is open',
    'watch: sync:acme canceled',
    'watch: orders canceled',
    'database: closed',
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
  'otel.ts': [
    'PUT /tenants/acme',
    'message, feed',
    'attempt feed, succeeded',
    'attempt sync, failed, TypeError, linked to PUT /tenants/acme',
    '  fetch page',
    'attempt sync, succeeded, linked to PUT /tenants/acme',
    '  fetch page',
    '  save page',
    'slotvisor.attempt.duration (feed, succeeded): 1',
    'slotvisor.attempt.duration (sync, failed, TypeError): 1',
    'slotvisor.attempt.duration (sync, succeeded): 1',
    'slotvisor.attempt.wait_time (sync): 2',
    'slotvisor.attempt.wait_time (feed): 1',
    'slotvisor.submissions: 2',
    'slotvisor.outcomes (completed): 2',
    'slotvisor.attempts: 3',
    'slotvisor.retries: 1',
    'slotvisor.attempt.failures (thrown): 1',
  ],
  'prometheus.ts': [
    'before:',
    '  slotvisor_open{supervisor="sync"} 1',
    'a minute later:',
    '  slotvisor_submissions_total{supervisor="sync"} 6',
    '  slotvisor_outcomes_total{supervisor="sync",outcome="completed"} 2',
    '  slotvisor_outcomes_total{supervisor="sync",outcome="rejected"} 1',
    '  slotvisor_rejections_total{supervisor="sync",reason="queueFull"} 1',
    '  slotvisor_attempts_total{supervisor="sync"} 4',
    '  slotvisor_attempt_failures_total{supervisor="sync",kind="thrown"} 1',
    '  slotvisor_retries_total{supervisor="sync"} 1',
    '  slotvisor_tasks{supervisor="sync",state="queued"} 1',
    '  slotvisor_tasks{supervisor="sync",state="running"} 1',
    '  slotvisor_tasks{supervisor="sync",state="backoff"} 1',
    '  slotvisor_slots{supervisor="sync"} 2',
    '  slotvisor_open{supervisor="sync"} 1',
    '  slotvisor_attempt_duration_seconds_count{supervisor="sync",group="import",outcome="succeeded"} 2',
    '  slotvisor_attempt_duration_seconds_count{supervisor="sync",group="import",outcome="failed"} 1',
    '  slotvisor_attempt_wait_seconds_count{supervisor="sync",group="feed"} 1',
    '  slotvisor_attempt_wait_seconds_count{supervisor="sync",group="import"} 3',
    '  slotvisor_slot_owner_seconds{supervisor="sync",slot="feed"} 60',
    '  slotvisor_slot_waiting{supervisor="sync",slot="feed"} 1',
    'metrics left: 0',
  ],
  'log.ts': [
    'For people:',
    '09:00:00.000 debug prices               was submitted, with the policy queue',
    '09:00:00.000 debug prices               owns its slot after 0 ms',
    '09:00:00.000 debug prices               attempt 1 began',
    '09:00:00.250 warn  prices               attempt 1 failed after 250 ms: timed out after 250 ms',
    '09:00:00.250 info  prices               attempt 2 follows in 1000 ms, after a failure',
    '09:00:01.250 debug prices               attempt 2 began',
    '09:00:01.250 debug prices               attempt 2 succeeded after 0 ms',
    '09:00:01.250 info  prices               ended completed, after 2 attempts and 1250 ms',
    'For programs:',
    '{"level":40,"slotvisor":{"seq":12,"type":"attemptFailed","slot":"sync:acme","name":"sync:acme","attempt":1,' +
      '"durationMs":0,"failure":{"kind":"thrown","message":"HTTP 401","fatal":false},"meta":{"tenant":7}},' +
      '"err":{"type":"Error","message":"HTTP 401","code":"E_AUTH"},"msg":"sync:acme: attempt 1 failed after 0 ms: HTTP 401"}',
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

/** The line after which an example gets SIGTERM. */
const CUES: Readonly<Record<string, string>> = {
  'graceful-shutdown.ts': 'load: on',
  'http-node.ts': 'load: on',
  'http-fastify.ts': 'load: on',
  'http-express.ts': 'load: on',
  'nestjs.ts': 'ready for SIGTERM',
};

test('this file runs every example that needs no server, but for dashboards, which people look at', () => {
  const alone = EXAMPLES.filter((name) => !name.includes('/') && serverOf(name) === undefined);
  const small = alone.filter((name) => !name.startsWith('dashboard'));
  expect(small.sort()).toEqual([...Object.keys(OUTPUT), 'tour.ts'].sort());
});

/** What a service is built with. */
const FRAMEWORKS = [/^@nestjs\/(common|core|terminus)$/];
/** What a supervisor is watched with. */
const WATCHERS = [/^pino$/, /^prom-client$/, /^@opentelemetry\//, /^fastify$/, /^express$/];
/** What processes share. */
const ENGINES = [/^pg$/, /^ioredis$/, /^bullmq$/];
const ENTRY_POINTS =
  /^slotvisor(\/(testing|cron|worker|subprocess|log|otel|prometheus|health|dashboard|postgres|redis|nestjs))?$/;

test.for(EXAMPLES)('examples/%s imports only the library, Node, its own folder, and what it is for', (name) => {
  const text = readFileSync(join(ROOT, 'examples', name), 'utf8');
  const foreign = importsOf({ path: `examples/${name}`, text })
    .filter(({ target }) => target?.startsWith('examples/') !== true)
    .map(({ specifier }) => specifier)
    .filter((specifier) => !ENTRY_POINTS.test(specifier))
    .filter((specifier) => ![...FRAMEWORKS, ...WATCHERS, ...ENGINES].some((library) => library.test(specifier)))
    .filter((specifier) => !(specifier.startsWith('node:') && isBuiltin(specifier)));
  expect(foreign).toEqual([]);
});

// The tours take several seconds. They start before the small examples and are checked after them.
let tours: Promise<[complete: Tour, drained: Tour, hastened: Tour]>;
beforeAll(() => {
  tours = Promise.all([takeTour(0, 2), takeTour(1, 5), takeTour(2, 5)]);
});

/** An interrupted tour is short, so its time can be stretched more: Ctrl+C then arrives in time. */
async function takeTour(interrupts: 0 | 1 | 2, slower: number): Promise<Tour> {
  const tour = startExample('tour.ts', slower);
  // The import overruns its own grace while the grace of the shutdown lasts.
  const cues = ['legacy-import started', 'legacy-import overrun'];
  for (const cue of cues.slice(0, interrupts)) {
    await tour.printed(cue);
    tour.signal('SIGINT');
  }
  return new Tour(await tour.ended);
}

describe.concurrent('small examples', () => {
  test.for(Object.keys(OUTPUT))('%s prints exactly its expected lines and exits with 0', async (name, { expect }) => {
    const example = startExample(name, 10);
    const cue = CUES[name];
    if (cue !== undefined) {
      await example.printed(cue);
      example.signal('SIGTERM');
    }
    const { code, stdout, stderr } = await example.ended;
    expect({ code, stderr, lines: linesOf(stdout) }).toEqual({ code: 0, stderr: '', lines: OUTPUT[name] });
  });
});

/** The output of a tour, split by slot, without padding and measured times. */
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

  /** The index in the timeline of the first line that matches. Fails if there is none. */
  position(slot: string, beginning: string): number {
    const found = this.timeline.findIndex((line) => line.slot === slot && line.said.startsWith(beginning));
    expect(found, `${slot} ${beginning}`).not.toBe(-1);
    return found;
  }

  momentMs(slot: string, beginning: string): number {
    return this.timeline[this.position(slot, beginning)]?.atMs ?? Number.NaN;
  }

  /** The line of the report with this label. */
  reported(word: string): string | undefined {
    return this.lines.find((line) => line.startsWith(`  ${word.padEnd(10)} `))?.slice(13);
  }

  /** The lines below a title that begins so, without their indent. */
  below(title: string): string[] {
    const start = this.lines.findIndex((line) => line.startsWith(title)) + 1;
    expect(start, title).not.toBe(0);
    const rest = this.lines.slice(start);
    return rest.slice(0, rest.includes('') ? rest.indexOf('') : rest.length).map((line) => line.slice(2));
  }

  /** The summary table: one row per slot, counts in the order of the columns, the total last. */
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

/** Compares line by line, by prefix: the numbers that follow differ from run to run. */
function expectBeginnings(lines: readonly string[], beginnings: readonly string[]): void {
  expect(lines.map((line, i) => (line.startsWith(beginnings[i] ?? line) ? (beginnings[i] ?? line) : line))).toEqual(
    beginnings,
  );
}

/** The stubborn process prints this line only if it handles its signal before the kill. */
const isDeterministic = (line: string): boolean => line !== 'printed no, thank you';

describe('the tour', () => {
  let complete: Tour;
  let drained: Tour;
  let hastened: Tour;

  beforeAll(async () => {
    [complete, drained, hastened] = await tours;
  });

  it('is what `npm start` runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.start).toMatch(/tsx examples\/tour\.ts$/);
  });

  it('ends by itself, with exit code 0 and empty stderr', () => {
    expect(complete.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('prints plain text when stdout is no terminal, at most 80 columns wide', () => {
    expect(complete.ended.stdout).not.toContain('\x1b');
    expect([...complete.lines, ...drained.lines].filter((line) => line.length > 80)).toEqual([]);
  });

  it('restarts the poller until its upstream answers', () => {
    const said = complete.said('poller');
    const attempts = said.filter((line) => line.startsWith('started')).length;
    const failures = said
      .filter((line) => /^(threw|timed out)/.test(line))
      .map((line) => /ECONNREFUSED|HTTP 503|timed out/.exec(line)?.[0]);
    // On a slow machine an answer comes after the timeout: such an attempt stands for any answer.
    expect(failures.join(', ')).toMatch(/^(ECONNREFUSED, )+((HTTP 503|timed out)(, |$)){2,}$/);
    expect(said.filter((line) => line.startsWith('retry in'))).toHaveLength(attempts - 1);
    expect(said.at(-1)).toBe(`completed after ${attempts} attempts`);
  });

  // All lines of each slot, in order.
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
    it(`prints the complete history of ${slot}`, () =>
      expectBeginnings(complete.said(slot).filter(isDeterministic), story.filter(isDeterministic)));
  }

  it('drops only the dates of the usage report that come while it is running', () => {
    const words = complete.said('usage-report').map((line) => line.split(' ')[0]);
    expect(words).toContain('dropped');
    expect(words.join(' ')).toMatch(/^(started (dropped )*completed ?)+$/);
  });

  it('ends every other job before the job that ignores its signal is abandoned', () => {
    const others = complete.timeline.filter(({ slot }) => slot !== 'legacy-import');
    expect(complete.position('legacy-import', 'started')).toBeLessThan(complete.position('exports', 'wrote'));
    expect(others.at(-1)?.atMs).toBeLessThan(complete.momentMs('legacy-import', 'abandoned'));
  });

  it('sums up: the rows add up to the total, each submission ends once, the abandoned one is named', () => {
    const { columns, rows } = complete.table();
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
    expect(complete.reported('work')).toMatch(/^\d+ attempts, \d+ retries, \d+ dropped, 0 events lost$/);
    expect(complete.reported('exclusion')).toBe('most bodies alive at once in one slot: 1');
    expect(complete.reported('shutdown')).toBe('cause: finished; not every body ended by itself');
    expect(complete.reported('abandoned')).toBe('legacy-import (overrun)');
  });

  it('ends with what a log got: the first line of each level', () => {
    expectBeginnings(complete.below('What a log got'), [
      'debug  tour: was submitted,',
      'info   poller: attempt 2 follows in ',
      'warn   poller: attempt 1 failed after ',
      'error  render: attempt 1 has not ended ',
    ]);
  });

  it('with what a tracer got: an attempt, and the spans in it with their durations', () => {
    const lines = complete.below('What a tracer got').map((line) => line.replace(/\d+/g, '#').replace(/ +/g, ' '));
    expect(lines).toEqual([
      'attempt exports: src.gz # ms succeeded',
      '├─ read # files # ms',
      '├─ gzip # ms',
      '└─ write # ms',
    ]);
    const [whole = 0, ...parts] = complete.below('What a tracer got').map((line) => Number(/(\d+) ms/.exec(line)?.[1]));
    expect(parts.reduce((sum, part) => sum + part)).toBeLessThanOrEqual(whole + parts.length); // they are rounded
  });

  it('and with what Prometheus got: each counter that moved, equal to the summary', () => {
    for (const tour of [complete, drained, hastened]) {
      const { columns, rows } = tour.table();
      const totals = rows.at(-1)?.counts ?? [];
      const sample = (column: string) =>
        column === 'submitted' ? 'slotvisor_submissions_total' : `slotvisor_outcomes_total{outcome="${column}"}`;
      const moved = tour.below('What Prometheus got').map((line) => line.replace(/ +/g, ' '));
      expect(moved).toEqual(expect.arrayContaining(columns.map((column, i) => `${sample(column)} 0 -> ${totals[i]}`)));
      const counts = /^(\d+) attempts, (\d+) retries/.exec(tour.reported('work') ?? '') ?? [];
      expect(moved).toContain(`slotvisor_attempts_total 0 -> ${counts[1]}`);
      expect(moved).toContain(`slotvisor_retries_total 0 -> ${counts[2]}`);
    }
  });

  it('drains at Ctrl+C: every job gets the grace, the report is printed, the exit code is 0', () => {
    expect(drained.ended).toMatchObject({ code: 0, stderr: '' });
    expectBeginnings(drained.said('tour'), ['started', 'stopping asked by shutdown', 'canceled']);
    expectBeginnings(drained.said('sync:acme').slice(-3), [
      'stopping revision 2',
      'saved revision 2',
      'canceled revision 2',
    ]);
    expect(drained.said('exports'), 'no job starts after Ctrl+C').toEqual([]);
    const grace = drained.momentMs('legacy-import', 'abandoned') - drained.momentMs('legacy-import', 'stopping');
    expect(grace).toBeGreaterThanOrEqual(995);
    expect(drained.reported('shutdown')).toBe('cause: signal; not every body ended by itself');
    expect(drained.reported('abandoned')).toBe('legacy-import (overrun)');
  });

  it('ends the grace at a second Ctrl+C and still prints the report', () => {
    expect(hastened.ended).toMatchObject({ code: 0, stderr: '' });
    expectBeginnings(hastened.said('sync:acme').slice(-1), ['canceled revision 2']);
    const grace = hastened.momentMs('legacy-import', 'abandoned') - hastened.momentMs('legacy-import', 'stopping');
    expect(grace).toBeLessThan(1_000);
    expect(hastened.reported('shutdown')).toBe('cause: signal; not every body ended by itself');
    expect(hastened.reported('abandoned')).toBe('legacy-import (overrun)');
  });
});
