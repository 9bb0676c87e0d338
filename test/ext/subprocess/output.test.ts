import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Collector, LineSplitter, Output } from '../../../src/ext/subprocess/output.ts';

const nothing = (): void => {};

/** Splits the bytes at the cuts, which may be inside a character, and returns the lines. */
async function lines(bytes: Buffer, cuts: readonly number[], limit = 1_000): Promise<string[]> {
  const got: string[] = [];
  const splitter = new LineSplitter('stdout', limit, async (line) => void got.push(line));
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let n = 1; n < at.length; n += 1) await splitter.take(bytes.subarray(at[n - 1], at[n]));
  await splitter.end();
  return got;
}

describe('the lines of an output', () => {
  test('are the same wherever the bytes are split', async () => {
    const text = fc.array(fc.constantFrom('a', 'é', '🚂', '\n', '\r\n', ' ')).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat()), async (all, cuts) => {
        const expected = all.split('\n').map((line) => line.replace(/\r$/, ''));
        if (all === '' || all.endsWith('\n')) expected.pop();
        expect(await lines(Buffer.from(all), cuts)).toEqual(expected);
      }),
    );
  });

  test('leave turns to the event loop, even when they are taken at once', async () => {
    let handedOver = 0;
    let most = 0;
    let before = 0;
    const turn = (): void => {
      most = Math.max(most, handedOver - before);
      before = handedOver;
      if (handedOver < 10_000) setImmediate(turn);
    };
    setImmediate(turn);
    const splitter = new LineSplitter('stdout', 10, () => {
      handedOver += 1;
    });
    for (let n = 0; n < 10; n += 1) await splitter.take(Buffer.from('y\n'.repeat(1_000)));
    await new Promise(setImmediate);
    expect(handedOver).toBe(10_000);
    expect(most).toBeLessThanOrEqual(200);
  });

  test('may each have at most maxBuffer bytes', async () => {
    expect(await lines(Buffer.from('éé\néé\n'), [], 4)).toEqual(['éé', 'éé']);
    await expect(lines(Buffer.from('aaa\nééx'), [], 4)).rejects.toThrow('a line of stdout is over maxBuffer (4 bytes)');
  });
});

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('reading an output', () => {
  test('pauses the stream while the sink is busy', async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    let release = nothing;
    const taken: string[] = [];
    const output = new Output(
      stream,
      {
        take: (chunk) => {
          taken.push(chunk.toString());
          return new Promise((resolve) => {
            release = resolve;
          });
        },
        end: nothing,
      },
      nothing,
    );
    stream.write('0123456789');
    await new Promise(setImmediate);
    for (let n = 0; n < 4; n += 1) stream.write('0123456789');
    await new Promise(setImmediate);
    expect(taken).toEqual(['0123456789']);
    expect(stream.writableNeedDrain).toBe(true); // the writer has to wait
    stream.end();
    const releasing = setInterval(() => release(), 1);
    await output.done;
    clearInterval(releasing);
    expect(taken.join('')).toBe('0123456789'.repeat(5));
  });

  test('keeps the bytes of a chunk and not the chunk, so that a byte costs a byte', async () => {
    const lines: string[] = [];
    const collector = new Collector('stdout', 1_000);
    const splitter = new LineSplitter('stdout', 1_000, async (line) => void lines.push(line));
    const chunk = Buffer.alloc(1);
    for (const character of 'one line') {
      chunk.write(character);
      collector.take(chunk);
      await splitter.take(chunk);
    }
    await splitter.end();
    expect([collector.text(), lines]).toEqual(['one line', ['one line']]);
  });

  test('joins the chunks of a line, and starts the next line empty', async () => {
    const lines: string[] = [];
    const splitter = new LineSplitter('stdout', 10, async (line) => void lines.push(line));
    for (const chunk of ['a', 'bc', 'd\ne', '\n', '\nfg']) await splitter.take(Buffer.from(chunk));
    await splitter.end();
    expect(lines).toEqual(['abcd', 'e', '', 'fg']);
  });

  test('reads a pipe that another process holds open until no bytes arrive, and then cuts it', async () => {
    const stream = new PassThrough();
    const collector = new Collector('stdout', 100);
    const output = new Output(stream, collector, nothing);
    stream.write('what was left');
    await output.drain();
    expect(collector.text()).toBe('what was left');
    expect(stream.destroyed).toBe(true);
  });

  test('cuts a pipe that another process holds open and writes to without a pause', async () => {
    const stream = new PassThrough();
    const output = new Output(stream, { take: nothing, end: nothing }, nothing);
    const chunk = Buffer.alloc(4 * 1_048_576);
    stream.on('error', nothing);
    const writing = setInterval(() => stream.destroyed || stream.write(chunk), 1);
    await output.drain();
    clearInterval(writing);
    expect(stream.destroyed).toBe(true);
  });

  test('cuts a flooded pipe of a slow reader after the bytes that a dead process can have left', async () => {
    const MIB = 1_048_576;
    const chunk = Buffer.alloc(MIB / 4);
    const stream = new Readable({
      read() {
        this.push(chunk);
      },
    });
    let taken = 0;
    const slow = async (bytes: Buffer): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      taken += bytes.length;
    };
    await new Output(stream, { take: slow, end: nothing }, nothing).drain();
    expect(stream.destroyed).toBe(true);
    expect(taken).toBeGreaterThanOrEqual(MIB);
    expect(taken).toBeLessThan(40 * MIB);
  });

  test('cuts a pipe that another process holds open and writes to now and then', async () => {
    const stream = new PassThrough();
    const output = new Output(stream, { take: nothing, end: nothing }, nothing);
    stream.on('error', nothing);
    const writing = setInterval(() => stream.destroyed || stream.write('still here\n'), 20);
    await output.drain();
    clearInterval(writing);
    expect(stream.destroyed).toBe(true);
  });

  test('leaves no timer behind when the pipe ends during a wait', async () => {
    const stream = new PassThrough();
    const output = new Output(stream, { take: nothing, end: nothing }, nothing);
    const before = timers();
    const drained = output.drain();
    expect(timers()).toBe(before + 1);
    stream.end();
    await drained;
    expect(timers()).toBeLessThanOrEqual(before); // the test runner has timers of its own
  });

  test('does not wait for a sink that never settles once the stream is cut', async () => {
    const stream = new PassThrough();
    const output = new Output(stream, { take: () => new Promise(() => {}), end: nothing }, nothing);
    stream.write('a line\n');
    await new Promise((resolve) => setImmediate(resolve));
    output.cut();
    const before = timers();
    void output.drain();
    await new Promise((resolve) => setImmediate(resolve));
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
