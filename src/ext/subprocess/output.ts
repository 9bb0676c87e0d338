// Reads one output stream of a process, within bounds. The bytes are collected, or they are passed
// on line by line as fast as the line listener takes them.

import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
// Imported by name: fake timers replace neither, and the rest of a pipe is read in real time.
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

const NEWLINE = 10;
/** Lines that are passed on before the event loop gets a turn, even if the listener is fast. */
const LINES_PER_TURN = 64;
const MIB = 1_048_576;
const IDLE_CHECK_MS = 25;
const IDLE_CHECKS = 4;
/**
 * A process outside of the group may keep writing to the pipe. After this many checks, a reader
 * that keeps up has read what the group itself left.
 */
const MAX_CHECKS = 40;

/**
 * Takes the bytes. A returned promise pauses the stream. A throw or a rejection ends the reading.
 */
export interface Sink {
  take(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

export class Output {
  /**
   * Settles when the stream has ended or was cut, and the sink has taken everything that was read.
   */
  readonly done: Promise<void>;
  readonly #stream: Readable;
  readonly #sink: Sink;
  readonly #onChunk: (chunk: Buffer) => void;
  #ended = false;
  #busy = false;
  #cut = false;
  #bytes = 0;

  constructor(stream: Readable, sink: Sink, onChunk: (chunk: Buffer) => void) {
    this.#stream = stream;
    this.#sink = sink;
    this.#onChunk = onChunk;
    this.done = this.#read().finally(() => {
      this.#ended = true;
      stream.destroy();
    });
  }

  /** Stops reading and closes the stream. */
  cut(): void {
    this.#cut = true;
    this.#stream.destroy();
  }

  /**
   * Reads the rest of the pipe. Call it after the group has ended. A process that left the group
   * may hold the pipe open: then the reading stops when no bytes arrive, or after the bytes that
   * the group can have left. Never rejects.
   */
  async drain(): Promise<void> {
    const maxBytes = this.#bytes + maxBufferedBytes();
    let bytes = this.#bytes;
    let checks = 0;
    for (let idle = 0; this.#isOpen && idle < IDLE_CHECKS && checks < MAX_CHECKS && bytes < maxBytes; idle += 1) {
      // Several short waits, not a long one: between two of them the event loop has polled the
      // pipe.
      await settledWithin(IDLE_CHECK_MS, this.done);
      if (!this.#busy) checks += 1;
      if (this.#busy || this.#bytes !== bytes) idle = 0;
      bytes = this.#bytes;
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
        this.#onChunk(chunk);
        this.#busy = true;
        await this.#sink.take(chunk);
        this.#busy = false;
        if (this.#cut) break;
      }
    } catch (error) {
      if (!this.#cut) throw error; // a destroyed stream ends the iteration with an error
    }
    await this.#sink.end();
  }
}

/**
 * Waits until the work has settled, but at most `ms`. Never rejects, and leaves no timer behind.
 */
export async function settledWithin(ms: number, work: Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const timeout = pause(ms, undefined, { signal: controller.signal });
  await Promise.race([work, timeout]).catch(() => {});
  controller.abort();
}

let bufferedBytes: number | undefined;

/**
 * The most bytes that a group can have left unread when it ends. Node's pipe to a child is a socket
 * whose buffer has the system's default size, and Node reads ahead.
 */
function maxBufferedBytes(): number {
  if (bufferedBytes !== undefined) return bufferedBytes;
  let socketBuffer = 0;
  try {
    socketBuffer = Number(readFileSync('/proc/sys/net/core/wmem_default', 'latin1'));
  } catch {} // not Linux: the buffers of other systems are smaller than 1 MiB
  bufferedBytes = Math.max(MIB, 2 * socketBuffer);
  return bufferedBytes;
}

/**
 * Bytes that arrive in chunks, joined as they come. A list of chunks would cost a Buffer for each:
 * a process that writes byte by byte would hold a hundred times its output.
 */
class Bytes {
  size = 0;
  #buffer = Buffer.alloc(0);

  append(chunk: Buffer): void {
    const size = this.size + chunk.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.size);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.size);
    this.size = size;
  }

  text(): string {
    return this.#buffer.toString('utf8', 0, this.size);
  }

  clear(): void {
    this.size = 0;
  }
}

/** Collects all bytes of a stream, up to `limit` bytes. */
export class Collector implements Sink {
  readonly #limit: number;
  readonly #name: string;
  readonly #bytes = new Bytes();

  constructor(name: string, limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  take(chunk: Buffer): void {
    if (this.#bytes.size + chunk.length > this.#limit)
      throw overMaxBuffer(`${this.#name} is over maxBuffer (${this.#limit} bytes)`);
    this.#bytes.append(chunk);
  }

  end(): void {}

  text(): string {
    return this.#bytes.text();
  }
}

/** Passes a stream on line by line. Keeps the incomplete last line, up to `limit` bytes. */
export class LineSplitter implements Sink {
  readonly #limit: number;
  readonly #name: string;
  readonly #onLine: (line: string) => unknown;
  readonly #bytes = new Bytes();
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
      await this.#passOn();
    }
    if (from < chunk.length) this.#add(chunk.subarray(from));
  }

  async end(): Promise<void> {
    if (this.#bytes.size > 0) await this.#passOn();
  }

  #add(part: Buffer): void {
    if (this.#bytes.size + part.length > this.#limit)
      throw overMaxBuffer(`a line of ${this.#name} is over maxBuffer (${this.#limit} bytes)`);
    this.#bytes.append(part);
  }

  async #passOn(): Promise<void> {
    const line = this.#bytes.text();
    this.#bytes.clear();
    await this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    this.#lines += 1;
    if (this.#lines % LINES_PER_TURN === 0) await turn();
  }
}

const overMaxBuffer = (message: string): Error =>
  Object.assign(new RangeError(message), { code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' });
