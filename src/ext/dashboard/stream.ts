// Streams of server-sent events. Each frame has the whole of what is shown, so a frame needs none
// before it, and a slow reader misses frames instead of piling them up. A frame is made when the
// reader has taken the last one, and none is made ahead.

import type { Clock } from '../../index.ts';
import { after, isAborted, onAbort } from '../../kit.ts';
import { answer, Refusal } from './answer.ts';
import type { Troubles } from './troubles.ts';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform', // what compresses answers would hold frames back
  'x-accel-buffering': 'no',
};

/** How long a page waits before it connects again, in ms. */
const RETRY = 'retry: 2000\n\n';

export interface StreamSettings {
  readonly maxStreams: number;
  readonly tickMs: number;
}

/** The streams that are open. */
export class Streams {
  readonly #open = new Set<OpenStream>();
  readonly #settings: StreamSettings;
  readonly #clock: Clock;
  readonly #troubles: Troubles;

  constructor(settings: StreamSettings, clock: Clock, troubles: Troubles) {
    this.#settings = settings;
    this.#clock = clock;
    this.#troubles = troubles;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * @param frame makes the next frame: a text of whole messages. A Refusal ends the stream.
   * @throws Refusal if as many streams are open as may be.
   */
  open(request: Request, frame: () => Promise<string>): Response {
    const { maxStreams, tickMs } = this.#settings;
    if (request.method === 'HEAD') return answer(200, null, HEADERS);
    if (this.#open.size >= maxStreams)
      throw new Refusal(503, 'tooManyStreams', `${maxStreams} streams are open, and no more may be`, {
        'retry-after': '5',
      });
    const stream = new OpenStream(frame, tickMs, this.#clock, this.#troubles, () => this.#open.delete(stream));
    this.#open.add(stream);
    stream.endWith(request.signal);
    return answer(200, stream.body, HEADERS);
  }

  close(): void {
    for (const stream of this.#open) stream.end();
  }
}

const encoder = new TextEncoder();

class OpenStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #frame: () => Promise<string>;
  readonly #tickMs: number;
  readonly #clock: Clock;
  readonly #troubles: Troubles;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #nextMs = -Infinity;
  #hasEnded = false;
  /** Ends the wait for the next tick. */
  #wake: () => void = () => {};
  #unwatch: () => void = () => {};

  constructor(frame: () => Promise<string>, tickMs: number, clock: Clock, troubles: Troubles, onEnd: () => void) {
    this.#frame = frame;
    this.#tickMs = tickMs;
    this.#clock = clock;
    this.#troubles = troubles;
    this.#onEnd = onEnd;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          controller.enqueue(encoder.encode(RETRY));
        },
        pull: () => this.#pull(),
        cancel: () => this.#finish(),
      },
      { highWaterMark: 0 },
    );
  }

  endWith(signal: AbortSignal): void {
    if (isAborted(signal)) this.end();
    else this.#unwatch = onAbort(signal, () => this.end());
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#finish();
    this.#controller.close();
  }

  /** Called only while a reader waits, and never again before its promise has settled. */
  async #pull(): Promise<void> {
    await this.#tick();
    if (this.#hasEnded) return;
    this.#nextMs = this.#clock.now() + this.#tickMs;
    try {
      const text = await this.#frame();
      if (!this.#hasEnded) this.#controller.enqueue(encoder.encode(text));
    } catch (error) {
      if (this.#hasEnded) return;
      if (!(error instanceof Refusal)) this.#troubles.report('stream', error);
      this.end();
    }
  }

  #tick(): Promise<void> {
    return new Promise((resolve) => {
      const leftMs = this.#nextMs - this.#clock.now();
      if (this.#hasEnded || leftMs <= 0) return resolve();
      const cancel = after(this.#clock, leftMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#wake();
    this.#unwatch();
    this.#onEnd();
  }
}
