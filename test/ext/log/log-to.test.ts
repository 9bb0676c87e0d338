import { Writable } from 'node:stream';
import pino from 'pino';
import type { TaskEventType } from 'slotvisor';
import { type Logger, type LogLevel, logTo } from 'slotvisor/log';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { polite } from '../../support/bodies.ts';
import { nothingEscapes, THROWN } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

afterEach(() => vi.restoreAllMocks());

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly slotvisor: Readonly<Record<string, unknown>> & { readonly type: TaskEventType };
  readonly err?: unknown;
}

/** A real pino logger, and what it wrote. */
function pinoLines(options: pino.LoggerOptions = {}) {
  const written: string[] = [];
  const stream = { write: (text: string) => void written.push(text) };
  return {
    written,
    logger: pino({ level: 'debug', ...options }, stream),
    lines: (): Line[] => written.map((text) => JSON.parse(text)),
  };
}

type Entry = readonly [level: LogLevel, fields: object, message: string];

/** A logger that keeps what it gets. */
function memory(levels?: readonly string[]) {
  const entries: Entry[] = [];
  const take =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      entries.push([level, fields, message]);
    };
  const logger: Logger = {
    ...{ debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') },
    ...(levels && { isLevelEnabled: (level: LogLevel) => levels.includes(level) }),
  };
  const typesOf = () => entries.map(([, fields]) => (fields as Pick<Line, 'slotvisor'>).slotvisor.type);
  return { entries, logger, typesOf };
}

const LIFE = ['submitted', 'started', 'attemptStarted', 'attemptSucceeded', 'finished'];
const fail = (): never => {
  throw new Error('boom');
};

describe('with pino', () => {
  test('each event is a line of JSON with its level, its record and its sentence', async () => {
    const { supervisor, clock } = setup();
    const { logger, lines, written } = pinoLines();
    logTo(supervisor, logger);
    supervisor.submit({ slot: 'sync', run: () => 1 });
    await clock.settle();
    expect(written.every((text) => text.indexOf('\n') === text.length - 1)).toBe(true);
    expect(lines().map(({ level, msg, slotvisor }) => [level, slotvisor.type, msg])).toEqual([
      [20, 'submitted', 'sync: was submitted, with the policy queue'],
      [20, 'started', 'sync: owns its slot after 0 ms'],
      [20, 'attemptStarted', 'sync: attempt 1 began'],
      [20, 'attemptSucceeded', 'sync: attempt 1 succeeded after 0 ms'],
      [30, 'finished', 'sync: ended completed, after 1 attempt and 0 ms'],
    ]);
  });

  test('an error has its type, message and stack, its code and its cause', async () => {
    const { supervisor, clock } = setup();
    const { logger, lines } = pinoLines();
    logTo(supervisor, logger);
    const error = Object.assign(new TypeError('boom', { cause: new Error('root') }), { code: 'E_X' });
    supervisor.submit({ slot: 's', restart: 'never', run: () => Promise.reject(error) });
    await clock.settle();
    const failed = lines().filter(({ err }) => err !== undefined);
    expect(failed.map(({ slotvisor }) => slotvisor.type)).toEqual(['attemptFailed', 'finished']);
    for (const { err } of failed)
      expect(err).toMatchObject({
        type: 'TypeError',
        message: expect.stringContaining('boom'),
        stack: expect.stringContaining('log-to.test.ts'),
        code: 'E_X',
      });
    expect(JSON.stringify(failed)).toContain('root');
  });

  test('its redaction and its serializers apply', async () => {
    const { supervisor, clock } = setup();
    const { logger, lines, written } = pinoLines({ redact: ['err.token', 'slotvisor.meta.token', 'slotvisor.slot'] });
    logTo(supervisor, logger, { meta: (meta) => meta });
    const error = Object.assign(new Error('boom'), { token: 's3cret' });
    supervisor.submit({
      ...{ slot: 'sync:s3cret', name: 'sync', restart: 'never', meta: { token: 's3cret', tenant: 7 } },
      run: () => Promise.reject(error),
    });
    await clock.settle();
    expect(lines().find(({ slotvisor }) => slotvisor.type === 'attemptFailed')).toMatchObject({
      slotvisor: { slot: '[Redacted]', meta: { token: '[Redacted]', tenant: 7 } },
      err: { token: '[Redacted]' },
    });
    expect(error.token, 'the error itself is not changed').toBe('s3cret');
    expect(written.filter((text) => JSON.parse(text).slotvisor.meta === undefined)).toEqual([]);
  });

  test('a name cannot forge a line, colour it, or change the direction of its text', async () => {
    const { supervisor, clock } = setup({ shutdownGraceMs: 10 });
    const { logger, lines, written } = pinoLines();
    logTo(supervisor, logger);
    const evil = 'x\r\n{"level":60,"msg":"forged"}\u001b[31m\u009b2J\u0085\u2028\u2029\u202e\u2066\ud800';
    supervisor.submit({ slot: evil, name: `${evil}!`, restart: 'never', run: fail });
    supervisor.submit({ slot: `${evil}?`, onOverrun: 'abandon', run: () => new Promise(() => {}) });
    supervisor.subscribe({ name: evil, onEvent: fail }, { types: ['slotPaused'] });
    supervisor.slot(evil).pause();
    await clock.settle();
    const closed = supervisor.shutdown();
    await clock.advance(10);
    await closed;
    expect(lines().map(({ slotvisor }) => slotvisor.type)).toEqual(
      expect.arrayContaining(['subscriberFailed', 'slotPaused', 'finished', 'shutdownFinished']),
    );
    // Every line but its last character, which ends it.
    for (const text of written) expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    for (const { msg } of lines()) expect(msg).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  });

  test('what a task keeps in meta is in no line, unless it is asked for', async () => {
    const { supervisor, clock } = setup();
    const [without, withTenant] = [pinoLines(), pinoLines()];
    logTo(supervisor, without.logger);
    logTo(supervisor, withTenant.logger, { meta: (meta) => ({ tenant: (meta as { tenant: bigint }).tenant }) });
    supervisor.submit({ slot: 's', restart: 'never', meta: { tenant: 2n ** 64n, password: 's3cret' }, run: fail });
    await clock.settle();
    expect(without.written.join('')).not.toMatch(/s3cret|meta|18446744073709551616/);
    expect(withTenant.written.join('')).not.toContain('s3cret');
    expect(withTenant.lines()[0]?.slotvisor).toMatchObject({ meta: { tenant: '18446744073709551616' } });
  });

  test('a level that is set later counts at once', async () => {
    const { supervisor, clock } = setup();
    const { logger, lines } = pinoLines({ level: 'warn' });
    logTo(supervisor, logger);
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(lines()).toEqual([]);
    logger.level = 'debug';
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(lines().map(({ slotvisor }) => slotvisor.type)).toEqual(LIFE);
  });

  test.each(THROWN)('a body that throws %s is logged, and harms nothing', async (_, make) => {
    const lines = pinoLines();
    await nothingEscapes(async () => {
      const { supervisor, clock, recorded } = setup();
      logTo(supervisor, lines.logger);
      supervisor.submit({ slot: 's', restart: 'never', run: () => Promise.reject(make()) });
      await clock.settle();
      expect(recorded.of('subscriberFailed')).toEqual([]);
    });
    const types = lines.lines().map(({ slotvisor }) => slotvisor.type);
    expect(types).toEqual(expect.arrayContaining(['attemptFailed', 'finished']));
  });
});

describe('levels', () => {
  test('that a logger has turned off cost nothing: it is asked before a line is built', async () => {
    const { supervisor, clock } = setup();
    const { logger, typesOf } = memory(['info']);
    let asked = 0;
    logTo(supervisor, logger, { meta: () => (asked += 1) });
    supervisor.submit({ slot: 's', meta: 'given', run: () => 1 });
    await clock.settle();
    expect(typesOf()).toEqual(['finished']);
    expect(asked).toBe(1);
  });

  test('can be chosen by type, and false leaves the type out of the subscription', async () => {
    const { supervisor, clock } = setup();
    const { logger, entries } = memory();
    const subscribe = vi.spyOn(supervisor, 'subscribe');
    logTo(supervisor, logger, {
      levels: { submitted: false, started: false, finished: 'warn', attemptStarted: undefined },
    });
    const types = subscribe.mock.calls[0]?.[1]?.types;
    expect(types).not.toContain('submitted');
    expect(types).not.toContain('started');
    expect(types).toHaveLength(20);
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(entries.map(([level, , message]) => [level, message])).toEqual([
      ['debug', 's: attempt 1 began'],
      ['debug', 's: attempt 1 succeeded after 0 ms'],
      ['warn', 's: ended completed, after 1 attempt and 0 ms'],
    ]);
  });

  test('are those of the chosen types only', async () => {
    const { supervisor, clock } = setup();
    const { logger, typesOf } = memory();
    logTo(supervisor, logger, { types: ['finished', 'submitted'], levels: { submitted: false } });
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(typesOf()).toEqual(['finished']);
  });

  test('of lost events: a line says how many were lost, unless it is left out', async () => {
    const { supervisor, clock, recorded } = setup();
    const [all, silent] = [memory(), memory()];
    logTo(supervisor, all.logger, { types: ['submitted'], capacity: 2 });
    logTo(supervisor, silent.logger, { types: ['submitted'], capacity: 2, levels: { eventsDropped: false } });
    for (let i = 0; i < 5; i += 1) supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(all.entries.map(([level, , message]) => [level, message]).at(-1)).toEqual([
      'warn',
      'the subscriber slotvisor/log lost 3 events',
    ]);
    expect(silent.typesOf()).toEqual(['submitted', 'submitted']);
    expect(recorded.of('subscriberFailed')).toEqual([]);
  });
});

describe('the record', () => {
  test('is under the key of the options', async () => {
    const { supervisor, clock } = setup();
    const { logger, entries } = memory();
    logTo(supervisor, logger, { key: 'sv', types: ['finished'] });
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(entries[0]?.[1]).toMatchObject({ sv: { type: 'finished' } });
  });
});

describe('a logger', () => {
  test('may need its this: the methods and isLevelEnabled are called on it', async () => {
    class Own {
      readonly #written: string[] = [];
      get written(): readonly string[] {
        return this.#written;
      }
      debug(fields: object, message: string): this {
        this.#written.push(message, JSON.stringify(fields));
        return this;
      }
      info(fields: object, message: string): this {
        return this.debug(fields, message);
      }
      warn(fields: object, message: string): this {
        return this.debug(fields, message);
      }
      error(fields: object, message: string): this {
        return this.debug(fields, message);
      }
      isLevelEnabled(level: string): boolean {
        return this.#written !== undefined && level === 'info';
      }
    }
    const { supervisor, clock, recorded } = setup();
    const own = new Own();
    logTo(supervisor, own);
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(own.written[0]).toBe('s: ended completed, after 1 attempt and 0 ms');
    expect(recorded.of('subscriberFailed')).toEqual([]);
  });

  test('may be the console', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {});
    const { supervisor, clock } = setup();
    logTo(supervisor, console, { types: ['finished'] });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    const record = expect.objectContaining({ type: 'finished', outcome: 'completed' });
    expect(info.mock.calls).toEqual([[{ slotvisor: record }, 's: ended completed, after 1 attempt and 0 ms']]);
  });

  test('that throws, or rejects, is a subscriberFailed, and harms nothing', async () => {
    for (const broken of [fail, async () => fail()]) {
      const { supervisor, clock, recorded } = setup();
      const end = logTo(supervisor, { debug: broken, info: broken, warn: broken, error: broken });
      const outcomes = await nothingEscapes(async () => {
        const all = [() => 1, fail].map((run) => supervisor.submit({ restart: 'never', run }).outcome);
        await clock.settle();
        return Promise.all(all);
      });
      expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'failed']);
      const lines = recorded.types().filter((type) => type !== 'subscriberFailed').length;
      const failed = recorded.of('subscriberFailed');
      expect(failed).toHaveLength(lines);
      expect(failed[0]).toMatchObject({ subscriber: 'slotvisor/log', error: { message: 'boom' } });
      end();
    }
  });

  test('whose isLevelEnabled throws is a subscriberFailed', async () => {
    const { supervisor, clock, recorded } = setup();
    const { logger } = memory();
    logTo(supervisor, { ...logger, isLevelEnabled: fail }, { types: ['finished'] });
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(recorded.of('subscriberFailed')).toMatchObject([{ subscriber: 'slotvisor/log' }]);
  });

  test('whose isLevelEnabled, or a meta that, returns a promise that rejects harms nothing', async () => {
    const { logger, typesOf } = memory();
    const late = (): never => Promise.reject(new Error('late')) as never;
    await nothingEscapes(async () => {
      const { supervisor, clock } = setup();
      logTo(supervisor, { ...logger, isLevelEnabled: late }, { types: ['finished'], meta: late });
      supervisor.submit({ meta: 1, run: () => 1 });
      await clock.settle();
    });
    expect(typesOf()).toEqual(['finished']);
  });

  test('whose stream was closed harms nothing', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    const logger = pino({ level: 'debug' }, stream);
    stream.destroy();
    const { supervisor, clock } = setup();
    logTo(supervisor, logger);
    const kind = await nothingEscapes(async () => {
      const { outcome } = supervisor.submit({ run: () => 1 });
      await clock.settle();
      return (await outcome).kind;
    });
    expect(kind).toBe('completed');
  });

  test('that takes its time is waited for, and gets one line at a time', async () => {
    const { supervisor, clock } = setup();
    let pending: (() => void) | undefined;
    const messages: string[] = [];
    const slow = (_: object, message: string): Promise<void> => {
      messages.push(message);
      return new Promise((resolve) => {
        pending = resolve;
      });
    };
    logTo(supervisor, { debug: slow, info: slow, warn: slow, error: slow });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    expect(messages).toHaveLength(1);
    pending?.();
    await clock.settle();
    expect(messages).toHaveLength(2);
  });
});

describe('from its call until its end', () => {
  test('it logs, and its end may be called twice', async () => {
    const { supervisor, clock } = setup();
    const { logger, entries } = memory();
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    const end = logTo(supervisor, logger);
    expect(entries).toEqual([]);
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(entries).toHaveLength(LIFE.length);
    end();
    end();
    supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(entries).toHaveLength(LIFE.length);
  });

  test('several loggers of one supervisor, and one logger of several supervisors, are ordinary', async () => {
    const [one, two] = [setup(), setup()];
    const [shared, other] = [memory(), memory()];
    const end = logTo(one.supervisor, shared.logger);
    logTo(one.supervisor, other.logger);
    logTo(two.supervisor, shared.logger);
    end();
    for (const { supervisor, clock } of [one, two]) {
      supervisor.submit({ run: () => 1 });
      await clock.settle();
    }
    expect([shared.typesOf(), other.typesOf()]).toEqual([LIFE, LIFE]);
  });

  test('the lines of a shutdown are written before its report', async () => {
    const { supervisor, clock } = setup();
    const { logger, typesOf } = memory();
    logTo(supervisor, logger);
    supervisor.submit({ slot: 's', run: polite });
    await clock.settle();
    let atReport: readonly string[] = [];
    const closed = supervisor.shutdown().then(() => {
      atReport = typesOf();
    });
    await clock.settle();
    await closed;
    expect(atReport.slice(-3)).toEqual(['attemptCanceled', 'finished', 'shutdownFinished']);
  });

  test('attached after a shutdown it is inert', async () => {
    const { supervisor, clock } = setup();
    const closed = supervisor.shutdown();
    await clock.settle();
    await closed;
    const { logger, entries } = memory();
    logTo(supervisor, logger)();
    expect(entries).toEqual([]);
  });

  test('it writes nothing to the console', async () => {
    const spies = (['debug', 'info', 'log', 'warn', 'error'] as const).map((method) => vi.spyOn(console, method));
    const streams = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
    const { supervisor, clock } = setup();
    logTo(supervisor, memory().logger);
    supervisor.submit({ restart: 'never', run: fail });
    await clock.settle();
    for (const spy of [...spies, ...streams]) expect(spy).not.toHaveBeenCalled();
  });
});
