// Reads one output stream of a process, within bounds: collected, or line by line at the pace of whoever takes the lines.

import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import timers from 'node:timers/promises';

const NEWLINE = 10;
/** Lines handed over before the event loop has a turn of its own, however fast they are taken. */
const LINES_A_TURN = 64;
const MIB = 1_048_576;
const IDLE_CHECK_MS = 25;
const IDLE_CHECKS = 4;
/** However much is written by who holds the pipe, a reader that keeps up has had what the group left after this many. */
const MAX_CHECKS = 40;

/** What becomes of the bytes. A promise pauses the stream. What it throws, or rejects with, ends the reading. */
export interface Sink {
  take(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

export class Output {
  /** Settles when the stream has ended, or was cut, and the sink has taken everything. */
  readonly done: Promise<void>;
  readonly #stream: Readable;
  readonly #sink: Sink;
  readonly #seen: (chunk: Buffer) => void;
  #ended = false;
  #busy = false;
  #cut = false;
  #bytes = 0;

  constructor(stream: Readable, sink: Sink, seen: (chunk: Buffer) => void) {
    this.#stream = stream;
    this.#sink = sink;
    this.#seen = seen;
    this.done = this.#read().finally(() => {
      this.#ended = true;
      stream.destroy();
    });
  }

  /** Reads no further. */
  cut(): void {
    this.#cut = true;
    this.#stream.destroy();
  }

  /** The group is gone: reads what is left in the pipe. Who has left the group and holds the pipe open is not waited for. Never rejects. */
  async drain(): Promise<void> {
    const most = this.#bytes + mostUnderWay();
    let seen = this.#bytes;
    let looks = 0;
    for (let idle = 0; this.#isOpen && idle < IDLE_CHECKS && looks < MAX_CHECKS && seen < most; idle += 1) {
      // Several short looks, not a long one: between two of them the event loop has really looked at the pipe.
      await atMost(IDLE_CHECK_MS, this.done);
      if (!this.#busy) looks += 1;
      if (this.#busy || this.#bytes !== seen) idle = 0;
      seen = this.#bytes;
    }
    if (!this.#ended) this.cut();
    await this.done.catch(() => {});
  }

  get #isOpen(): boolean {
    return !this.#ended && !this.#cut;
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
        this.#bytes += chunk.length;
        this.#seen(chunk);
        this.#busy = true;
        await this.#sink.take(chunk);
        this.#busy = false;
        if (this.#cut) break;
      }
    } catch (error) {
      if (!this.#cut) throw error; // destroying it ends the iteration with an error, too
    }
    await this.#sink.end();
  }
}

/** Until it has settled, but no longer than that. Never rejects, and leaves no timer behind. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const pause = timers.setTimeout(ms, undefined, { signal: over.signal });
  await Promise.race([work, pause]).catch(() => {});
  over.abort();
}

let underWay: number | undefined;

/** Bytes that can be on their way from a group that is gone: a pipe is a socket here, with a buffer of the system's size; this side reads ahead. */
function mostUnderWay(): number {
  if (underWay !== undefined) return underWay;
  let buffer = 0;
  try {
    buffer = Number(readFileSync('/proc/sys/net/core/wmem_default', 'latin1'));
  } catch {} // other systems have smaller ones
  underWay = Math.max(MIB, 2 * buffer);
  return underWay;
}

/** Keeps everything, up to `limit` bytes. */
export class Collector implements Sink {
  readonly #limit: number;
  readonly #name: string;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(name: string, limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) throw tooMuch(`${this.#name} is over maxBuffer (${this.#limit} bytes)`);
    this.#chunks.push(chunk);
  }

  end(): void {}

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** Hands over line by line. Keeps the beginning of one line, up to `limit` bytes. */
export class LineSplitter implements Sink {
  readonly #limit: number;
  readonly #name: string;
  readonly #onLine: (line: string) => unknown;
  #parts: Buffer[] = [];
  #size = 0;
  #lines = 0;

  constructor(name: string, limit: number, onLine: (line: string) => unknown) {
    this.#name = name;
    this.#limit = limit;
    this.#onLine = onLine;
  }

  async take(chunk: Buffer): Promise<void> {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      this.#add(chunk.subarray(from, to));
      from = to + 1;
      await this.#handOver();
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
  }

  async end(): Promise<void> {
    if (this.#size > 0) await this.#handOver();
  }

  #add(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#limit) throw tooMuch(`a line of ${this.#name} is over maxBuffer (${this.#limit} bytes)`);
    this.#parts.push(part);
  }

  async #handOver(): Promise<void> {
    const line = Buffer.concat(this.#parts).toString('utf8');
    this.#parts = [];
    this.#size = 0;
    await this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    this.#lines += 1;
    if (this.#lines % LINES_A_TURN === 0) await timers.setImmediate();
  }
}

const tooMuch = (message: string): Error =>
  Object.assign(new RangeError(message), { code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' });
