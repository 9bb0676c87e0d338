// One worker thread, of one attempt: started, told to stop, terminated, and waited for. Only its `exit` ends it; a report alone does not.

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type CanceledError, ExitError, type KillableBody, type TaskContext } from '../../index.ts';
import {
  BOOTSTRAP_URL,
  type Envelope,
  HEARTBEAT,
  type Message,
  type Report,
  STOP,
  type StopMessage,
} from './bootstrap.ts';
import { unpackError } from './error-travel.ts';
import type { ParsedWorkerOptions } from './options.ts';

export class Thread<T> implements KillableBody<T> {
  /** Settles when the thread is no more, with what its function returned or with why it did not. */
  readonly ended: Promise<T>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #heartbeat: () => void;
  #report: Report | undefined;
  #crash: { readonly error: unknown } | undefined;
  #reason: CanceledError | undefined;
  #terminated = false;

  /** @throws what Node refuses, before there is a thread. */
  constructor(task: ParsedWorkerOptions & { readonly module: string }, ctx: TaskContext<unknown>) {
    const { id, slot, name, attempt, meta, fence } = ctx;
    this.#heartbeat = () => ctx.heartbeat();
    const { workerData, resourceLimits, execArgv } = task;
    this.#worker = new Worker(BOOTSTRAP_URL, {
      workerData,
      resourceLimits,
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
    });
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.ended = this.#untilEnded();
    const about = { id, slot, name, attempt, meta, fence };
    const envelope: Envelope = { port: port2, flags: this.#flags, module: task.module, export: task.export, about };
    try {
      this.#worker.postMessage(envelope, [port2]);
    } catch (error) {
      this.#crash = { error: notSent(error) };
      port2.close();
      void this.kill();
    }
  }

  async #untilEnded(): Promise<T> {
    const port = this.#port;
    port.on('message', (message: Message) => this.#hear(message));
    port.on('messageerror', (error) => this.#hear({ kind: 'thrown', error: { value: error } }));
    const closed = new Promise<void>((resolve) => port.once('close', resolve));
    this.#worker.on('error', (error) => {
      this.#crash ??= { error }; // the thread is still there
    });
    const exitCode = await new Promise<number>((resolve) => this.#worker.once('exit', resolve));
    this.#hearTheRest();
    port.close();
    await closed;
    return this.#value(exitCode);
  }

  /** Passes a stop request on. Whether the function heeds it is its own affair. */
  stop(reason: CanceledError): void {
    this.#reason = reason;
    const { name, message, by } = reason;
    const stop = (why: unknown): void =>
      this.#port.postMessage({ name, message, by, reason: why } satisfies StopMessage);
    try {
      stop(reason.reason);
    } catch {
      stop(undefined); // a reason that cannot be cloned stays here
    }
    Atomics.store(this.#flags, STOP, 1); // after the message: who sees the flag can read the reason
  }

  /** Resolves when the thread is no more. */
  async kill(): Promise<void> {
    this.#terminated = true;
    await this.#worker.terminate();
    await this.ended.catch(() => {});
  }

  #hear(message: Message): void {
    if (message === 'beat') {
      Atomics.store(this.#flags, HEARTBEAT, 0);
      this.#heartbeat();
    } else if (this.#report === undefined) {
      this.#report = message;
      void this.#worker.terminate(); // what the function left behind in its thread ends with it
    }
  }

  /** A report may have come after the last turn in which messages were read. */
  #hearTheRest(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#hear(next.message);
  }

  #value(exitCode: number): T {
    const report = this.#report;
    if (report?.kind === 'value') return report.value as T;
    if (report?.kind === 'thrown') throw unpackError(report.error);
    if (this.#crash !== undefined) throw this.#crash.error;
    if (report?.kind === 'stopped' || this.#terminated) throw this.#reason;
    throw new ExitError(`the worker exited with code ${exitCode} before its function had ended`, { exitCode });
  }
}

/** Of what is sent, only `meta` is of any kind. */
function notSent(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const refusal = new TypeError(`meta cannot be cloned into a worker: ${error.message}`, { cause: error });
  return Object.assign(refusal, { name: error.name });
}
