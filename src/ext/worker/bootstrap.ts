// The program that runs in the worker, and the messages between the two sides. The program calls
// one function and reports how it ended. All decisions are made in the parent. The program is the
// text of a module, not a file. So it is the same in dist, in sources under a loader, and in a
// bundle. The flags of the process (`--import`) apply to it as to any module.

import type { MessagePort } from 'node:worker_threads';
import type { PackedError } from './error-travel.ts';

/** An index in the shared flags: 1 while a heartbeat message is on its way to the parent. */
export const HEARTBEAT = 0;
/** An index in the shared flags: 1 from the stop request on. */
export const STOP = 1;

/** The first message to the worker: which function to call. */
export interface CallMessage {
  readonly port: MessagePort;
  readonly flags: Int32Array;
  readonly module: string;
  readonly export: string;
  /** The fields of the task's context that can be cloned, and the date of the run. */
  readonly fields: object;
}

/** The stop request to the worker. Sent at most once. */
export interface StopMessage {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly by: string;
  readonly reason: unknown;
}

/** A message from the worker: a heartbeat, or the one report of how the function ended. */
export type Message = 'heartbeat' | Report;
export type Report =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'thrown'; readonly error: PackedError };

const BOOTSTRAP = `import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

// TimeoutError comes first: it is also a CanceledError.
const BRANDS = ['FatalError', 'RetryError', 'TimeoutError', 'CanceledError', 'ExitError'];
const MAX_ERRORS = 50;

// Cuts texts of the caller, as the library does: a text at its end, a path in its middle.
const brief = (text) => (text.length > 60 ? text.slice(0, 60) + '…' : text);
const briefPath = (path) => (path.length > 60 ? path.slice(0, 40) + '…' + path.slice(-19) : path);

// Returns the fallback if a getter or a proxy throws. The rest of the error is still packed.
function tryRead(read, fallback) {
  try {
    return read();
  } catch {
    return fallback;
  }
}

// Turns a thrown value into data, because structured clone loses the name and the fields of most
// errors. Causes may form a cycle, so the number of packed errors is bounded.
function pack(thrown, remaining = { errors: MAX_ERRORS }) {
  remaining.errors -= 1;
  if (!tryRead(() => thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]', false)) {
    const message = 'the worker threw a value that cannot be cloned: ' + typeof thrown;
    return tryRead(() => ({ __proto__: null, value: structuredClone(thrown) }), { __proto__: null, name: 'DataCloneError', message });
  }
  const packed = {
    __proto__: null,
    name: tryRead(() => String(thrown.name), 'Error'),
    message: tryRead(() => String(thrown.message), 'the worker threw an error whose message cannot be read'),
    stack: tryRead(() => String(thrown.stack)),
    brand: tryRead(() => BRANDS.find((name) => thrown[Symbol.for('slotvisor.' + name)] === true)),
    fields: { __proto__: null },
  };
  for (const key of tryRead(() => Object.keys(thrown), [])) {
    if (['name', 'message', 'stack', 'cause', 'errors'].includes(key)) continue;
    tryRead(() => {
      packed.fields[key] = structuredClone(thrown[key]);
    });
  }
  tryRead(() => {
    if ('cause' in thrown && remaining.errors > 0) packed.cause = pack(thrown.cause, remaining);
  });
  tryRead(() => {
    if (Array.isArray(thrown.errors))
      packed.errors = thrown.errors.flatMap((error) => (remaining.errors > 0 ? [pack(error, remaining)] : []));
  });
  return packed;
}

// The parent terminates the thread when it has the report, so written output is flushed before.
function flush(stream) {
  // The function has ended. What it corked would stay in the buffer.
  for (let corks = stream.writableCorked; corks > 0; corks -= 1) stream.uncork();
  return stream.writableLength !== 0 && stream.writable && new Promise((resolve) => stream.write('', resolve));
}

parentPort.once('message', ({ port, flags, module, export: name, fields }) => {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // the number of listeners is the caller's affair
  const onStop = ({ name, message, code, by, reason }) => {
    const error = new Error(message);
    Object.defineProperty(error, 'name', { value: name });
    for (const brand of ['CanceledError', name]) error[Symbol.for('slotvisor.' + brand)] = true;
    controller.abort(Object.assign(error, { code, by, reason }));
  };
  port.on('message', onStop);

  const isStopRequested = () => Atomics.load(flags, ${STOP}) === 1;
  const context = {
    ...fields,
    workerData,
    signal: controller.signal,
    get canceled() {
      return isStopRequested();
    },
    throwIfCanceled() {
      if (!isStopRequested()) return;
      // In a loop that never yields, the stop message is still unread.
      const unread = controller.signal.aborted ? undefined : receiveMessageOnPort(port);
      if (unread !== undefined) onStop(unread.message);
      throw controller.signal.reason;
    },
    heartbeat() {
      if (Atomics.exchange(flags, ${HEARTBEAT}, 1) === 0) port.postMessage('heartbeat');
    },
  };

  // Node's texts show a module in full, and what imported it. A data: URL is as long as its
  // program, and so is the URL of this program.
  const isData = module.startsWith('data:');
  const shownModule = isData ? brief(module) : briefPath(module);
  const shorten = (text) => {
    if (isData) return text.replaceAll(module, shownModule);
    if (!text.includes(import.meta.url)) return text;
    const path = tryRead(() => fileURLToPath(module), module);
    return text.replaceAll(import.meta.url, 'slotvisor-worker').replaceAll(path, briefPath(path));
  };
  const shownName = JSON.stringify(brief(name));
  const callFunction = async () => {
    const exported = await import(module);
    // The exports of a CommonJS module are its default export. In CommonJS that was compiled from
    // TypeScript, the default export is the default of that default.
    const body = [exported[name], exported.default?.[name]].find((found) => typeof found === 'function');
    if (body === undefined) {
      const names = Object.keys(exported).join(', ') || 'nothing';
      throw new TypeError(shownModule + ' has no function export ' + shownName + '; it exports ' + names);
    }
    context.throwIfCanceled();
    return body(context);
  };
  const isStopReason = (thrown) => {
    const { reason } = controller.signal;
    return reason !== undefined && (thrown === reason || (thrown instanceof Error && thrown.cause === reason));
  };
  const failure = (thrown) => {
    const error = pack(thrown);
    for (const field of ['message', 'stack']) if (error[field] !== undefined) error[field] = shorten(error[field]);
    return { kind: 'thrown', error };
  };
  const report = async (message) => {
    await Promise.all([flush(process.stdout), flush(process.stderr)]);
    try {
      port.postMessage(message);
    } catch (error) {
      // A getter of the value may have thrown anything.
      const { message: why, value, stack } = pack(error);
      const text =
        'what ' + shownName + ' returned cannot be cloned: ' + brief(why ?? tryRead(() => String(value), typeof value));
      port.postMessage({ kind: 'thrown', error: { name: 'DataCloneError', message: text, stack } });
    }
  };
  callFunction().then(
    (value) => report({ kind: 'value', value }),
    (error) => report(isStopReason(error) ? { kind: 'stopped' } : failure(error)),
  );
});
//# sourceURL=slotvisor-worker
`;

export const BOOTSTRAP_URL = new URL(`data:text/javascript,${encodeURIComponent(BOOTSTRAP)}`);
