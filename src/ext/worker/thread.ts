// One worker thread, for one attempt: starts it, passes the stop request on, terminates it, and
// waits for its end. Only the thread's `exit` event ends the attempt. The report of its function
// does not.

import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type CanceledError, ExitError, type KillableBody, type TaskContext } from '../../index.ts';
import { bare, brief } from '../../kit.ts';
import {
  BOOTSTRAP_URL,
  type CallMessage,
  HEARTBEAT,
  type Message,
  type Report,
  STOP,
  type StopMessage,
} from './bootstrap.ts';
import { unpackError } from './error-travel.ts';
import type { ParsedWorkerOptions } from './options.ts';

export class Thread<T> implements KillableBody<T> {
  /** Settles when the thread has ended: with the function's value, or with the error. */
  readonly ended: Promise<T>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #onHeartbeat: () => void;
  #report: Report | undefined;
  /**
   * An error outside of the function: uncaught in the thread, or thrown while the call was sent.
   */
  #crash: { readonly error: unknown } | undefined;
  #stopReason: CanceledError | undefined;
  #terminated = false;

  /** @throws the error of Node if it cannot start a thread with these options. */
  constructor(
    task: ParsedWorkerOptions & { readonly module: string },
    ctx: TaskContext<unknown>,
    due: Date | undefined,
  ) {
    const { id, slot, name, attempt, meta, fence } = ctx;
    this.#onHeartbeat = () => ctx.heartbeat();
    const { workerData, resourceLimits, execArgv } = task;
    const flags = execArgv !== undefined && { execArgv: [...execArgv] };
    this.#worker = new Worker(BOOTSTRAP_URL, bare({ workerData, resourceLimits, ...flags }));
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.ended = this.#waitForEnd();
    const fields = { id, slot, name, attempt, meta, fence, due };
    const call: CallMessage = { port: port2, flags: this.#flags, module: task.module, export: task.export, fields };
    try {
      this.#worker.postMessage(call, [port2]);
    } catch (error) {
      this.#crash = { error: nameTheField(error) };
      port2.close();
      void this.kill();
    }
  }

  async #waitForEnd(): Promise<T> {
    const port = this.#port;
    port.on('message', (message: Message) => this.#receive(message));
    port.on('messageerror', (error) => this.#receive({ kind: 'thrown', error: { value: error } }));
    const closed = new Promise<void>((resolve) => port.once('close', resolve));
    this.#worker.on('error', (error) => {
      this.#crash ??= { error }; // the thread still runs: its exit comes later
    });
    const exitCode = await new Promise<number>((resolve) => this.#worker.once('exit', resolve));
    this.#receiveRemaining();
    port.close();
    await closed;
    return this.#result(exitCode);
  }

  /** Passes a stop request on to the function, which may ignore it. */
  stop(reason: CanceledError): void {
    this.#stopReason = reason;
    const { name, message, code, by } = reason;
    const post = (cause: unknown): void =>
      this.#port.postMessage({ name, message, code, by, reason: cause } satisfies StopMessage);
    try {
      post(reason.reason);
    } catch {
      post(undefined); // a reason that cannot be cloned is not sent
    }
    // The flag follows the message: a function that sees the flag can read the reason.
    Atomics.store(this.#flags, STOP, 1);
  }

  /** Terminates the thread. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#terminated = true;
    await this.#worker.terminate();
    await this.ended.catch(() => {});
  }

  #receive(message: Message): void {
    if (message === 'heartbeat') {
      Atomics.store(this.#flags, HEARTBEAT, 0);
      this.#onHeartbeat();
    } else if (this.#report === undefined) {
      this.#report = message;
      // Also ends timers and other work that the function left in its thread.
      void this.#worker.terminate();
    }
  }

  /** Reads the messages that arrived after the last turn of the event loop, such as the report. */
  #receiveRemaining(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#receive(next.message);
  }

  #result(exitCode: number): T {
    const report = this.#report;
    if (report?.kind === 'value') return report.value as T;
    if (report?.kind === 'thrown') throw unpackError(report.error);
    if (report?.kind === 'stopped') throw this.#stopReason;
    if (this.#crash !== undefined) throw this.#crash.error; // after a report it changes nothing
    if (this.#terminated) throw this.#stopReason;
    throw new ExitError(`the worker exited with code ${exitCode} before its function had ended`, bare({ exitCode }));
  }
}

/** Of the fields that are sent, only `meta` can be of a kind that cannot be cloned. */
function nameTheField(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const refusal = new TypeError(`meta cannot be cloned into a worker: ${brief(error.message)}`, { cause: error });
  return Object.assign(refusal, { name: error.name });
}
