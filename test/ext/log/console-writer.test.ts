import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { consoleWriter } from 'slotvisor/log';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { polite } from '../../support/bodies.ts';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A stream that keeps its text. */
function memory(as: { isTTY?: boolean } = {}) {
  const texts: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
  return {
    stream: Object.assign(stream, as),
    text: () => texts.join(''),
    lines: () => texts.join('').trimEnd().split('\n'),
  };
}

const fail = (): never => {
  throw new Error('boom');
};

describe('what it writes', () => {
  test('is one line an event, and the error of a failure once', async () => {
    const { supervisor, clock } = setup();
    const { stream, lines } = memory();
    supervisor.subscribe(consoleWriter({ stream }));
    supervisor.submit({ slot: 'sync', restart: 'never', run: fail });
    await clock.settle();
    const written = lines();
    expect(
      written.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d\d\d/, 'TIME')).filter((line) => !/\| {5}at /.test(line)),
    ).toEqual([
      'TIME debug sync                 was submitted, with the policy queue',
      'TIME debug sync                 owns its slot after 0 ms',
      'TIME debug sync                 attempt 1 began',
      'TIME warn  sync                 attempt 1 failed after 0 ms: boom',
      '                   | Error: boom',
      'TIME error sync                 ended failed, because of policy (boom), after 1 attempt and 0 ms',
    ]);
    expect(written.filter((line) => /^ {19}\| {5}at /.test(line))).toHaveLength(4);
  });

  test('is what the subscription delivers', async () => {
    const { supervisor, clock } = setup();
    const { stream, lines } = memory();
    supervisor.subscribe(consoleWriter({ stream }), { types: ['finished'] });
    supervisor.submit({ slot: 'sync', restart: 'never', run: fail });
    await clock.settle();
    expect(lines()[0]).toContain('ended failed');
    expect(lines()[1], 'the error was not seen before').toContain('| Error: boom');
  });

  test('of a shutdown is written before its report', async () => {
    const { supervisor, clock } = setup();
    const { stream, lines } = memory();
    supervisor.subscribe(consoleWriter({ stream }));
    supervisor.submit({ slot: 's', run: polite });
    await clock.settle();
    let atReport = '';
    const closed = supervisor.shutdown().then(() => {
      atReport = lines().at(-1) ?? '';
    });
    await clock.settle();
    await closed;
    expect(atReport).toContain('the shutdown ended');
  });

  test('goes to stdout where no stream is given, and only then', async () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { supervisor, clock } = setup();
    consoleWriter();
    supervisor.subscribe(consoleWriter({ stream: memory().stream }));
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(stdout).not.toHaveBeenCalled();
    supervisor.subscribe(consoleWriter(), { types: ['finished'] });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(stdout.mock.calls.map(([text]) => stripVTControlCharacters(String(text)))).toEqual([
      expect.stringMatching(/^\S+ info {2}s +ended completed, after 1 attempt and 0 ms\n$/),
    ]);
  });
});

describe('colour', () => {
  const TTY = { isTTY: true };
  const ROWS: readonly [string, { isTTY?: boolean }, Readonly<Record<string, string>>, boolean | undefined, boolean][] =
    [
      ['on a terminal', TTY, {}, undefined, true],
      ['in no other stream', {}, {}, undefined, false],
      ['not with NO_COLOR', TTY, { NO_COLOR: '1' }, undefined, false],
      ['not with NO_COLOR, also with FORCE_COLOR', TTY, { NO_COLOR: '1', FORCE_COLOR: '1' }, undefined, false],
      ['with an empty NO_COLOR', TTY, { NO_COLOR: '' }, undefined, true],
      ['not with TERM=dumb', TTY, { TERM: 'dumb' }, undefined, false],
      ['with FORCE_COLOR in any stream', {}, { FORCE_COLOR: '1' }, undefined, true],
      ['with FORCE_COLOR also with TERM=dumb', {}, { FORCE_COLOR: '3', TERM: 'dumb' }, undefined, true],
      ['not with FORCE_COLOR=0', TTY, { FORCE_COLOR: '0' }, undefined, false],
      ['not with FORCE_COLOR=false', TTY, { FORCE_COLOR: 'false' }, undefined, false],
      ['with color: true, whatever else is set', {}, { NO_COLOR: '1', TERM: 'dumb' }, true, true],
      ['not with color: false, whatever else is set', TTY, { FORCE_COLOR: '1' }, false, false],
    ];
  test.each(ROWS)('is used %s', async (_, as, env, color, isColored) => {
    for (const [name, value] of Object.entries({ NO_COLOR: '', FORCE_COLOR: '', TERM: 'xterm', ...env }))
      vi.stubEnv(name, value);
    const { supervisor, clock } = setup();
    const { stream, text } = memory(as);
    supervisor.subscribe(consoleWriter({ stream, color }));
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(text()).toContain('ended completed');
    expect(text().includes('\u001b[')).toBe(isColored);
  });
});

describe('a stream', () => {
  /** Runs a task with a writer to the stream, and returns what other subscribers see fail. */
  async function use(stream: NodeJS.WritableStream) {
    return nothingEscapes(async () => {
      const { supervisor, clock, recorded } = setup();
      supervisor.subscribe(consoleWriter({ stream }));
      const { outcome } = supervisor.submit({ run: () => 1 });
      await clock.settle();
      expect((await outcome).kind).toBe('completed');
      const closed = supervisor.shutdown();
      await clock.advance(5_000); // the time that subscribers have for their last events
      await closed;
      return recorded.of('subscriberFailed');
    });
  }

  test('that was ended, or destroyed, gets nothing and harms nothing', async () => {
    for (const close of ['end', 'destroy'] as const) {
      const { stream, text } = memory();
      stream[close]();
      expect(await use(stream)).toEqual([]);
      expect(text()).toBe('');
    }
  });

  test('that fails while it is written to harms nothing', async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) => void setImmediate(done, Object.assign(new Error('gone'), { code: 'EPIPE' })),
    });
    expect(await use(stream)).toEqual([]);
    expect(stream.errored).toMatchObject({ code: 'EPIPE' });
  });

  test('that fails tells the listeners that it has', async () => {
    const errors: unknown[] = [];
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('gone')) });
    stream.on('error', (error) => errors.push(error));
    await use(stream);
    expect(errors).toHaveLength(1);
  });

  test('whose write throws is a subscriberFailed', async () => {
    const failed = await use(Object.assign(new PassThrough(), { write: fail }));
    expect(failed[0]).toMatchObject({ subscriber: 'slotvisor/log console', error: { message: 'boom' } });
  });

  test('that is full is waited for: what it is given stays bounded, and what was lost is counted', async () => {
    const { supervisor, clock } = setup();
    const stream = new PassThrough({ highWaterMark: 16 });
    supervisor.subscribe(consoleWriter({ stream }), { capacity: 2 });
    for (let i = 0; i < 100; i += 1) supervisor.submit({ slot: `s${i}`, run: () => 1 });
    await clock.settle();
    expect(stream.writableLength + stream.readableLength).toBeLessThan(200);
    const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
    let events = 0;
    while (events < 500) {
      const { value } = await lines.next();
      events += Number(/lost (\d+) events/.exec(value)?.[1] ?? 1);
    }
    expect(events).toBe(500);
  });

  test('that is full and then closed is not waited for', async () => {
    const { supervisor, clock } = setup();
    const stream = new PassThrough({ highWaterMark: 16 });
    supervisor.subscribe(consoleWriter({ stream }));
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    stream.destroy();
    const closed = supervisor.shutdown();
    await new Promise((resolve) => setImmediate(resolve));
    await clock.settle();
    await closed;
    for (const event of ['drain', 'close']) expect(stream.listenerCount(event)).toBe(0);
  });
});
