// The program of the worker's side, and the messages between the two sides. It calls one function and reports; it decides nothing.
// The program is the text of a module, not a file: so it is the same from dist, from sources under a loader, and inside a bundle, and the
// process's own flags (`--import`) apply to it as to any module.

import type { MessagePort } from 'node:worker_threads';
import type { PackedError } from './error-travel.ts';

/** Places in the shared flags: a heartbeat is under way to the parent; a stop was requested. */
export const HEARTBEAT = 0;
export const STOP = 1;

/** The first message to the worker. */
export interface Envelope {
  readonly port: MessagePort;
  readonly flags: Int32Array;
  readonly module: string;
  readonly export: string;
  /** What of the task's context can travel. */
  readonly about: object;
}

/** To the worker, at most once. */
export interface StopMessage {
  readonly name: string;
  readonly message: string;
  readonly by: string;
  readonly reason: unknown;
}

/** From the worker: heartbeats, and at most one report of how the function ended. */
export type Message = 'beat' | Report;
export type Report =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'thrown'; readonly error: PackedError };

const BOOTSTRAP = `import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

const BRANDS = ['FatalError', 'RetryError', 'TimeoutError', 'CanceledError', 'ExitError']; // a TimeoutError is a CanceledError, too
const MOST_ERRORS = 50;

// What throws when it is read costs nothing but itself.
function reading(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

// An error as data, because a clone keeps neither the name nor the fields of most. Causes may go round in a circle: what is left bounds them.
function pack(thrown, left = { errors: MOST_ERRORS }) {
  left.errors -= 1;
  if (!reading(() => thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]', false)) {
    const message = 'the worker threw a value that cannot be cloned: ' + typeof thrown;
    return reading(() => ({ value: structuredClone(thrown) }), { name: 'DataCloneError', message });
  }
  const packed = {
    name: reading(() => String(thrown.name), 'Error'),
    message: reading(() => String(thrown.message), 'the worker threw an error whose message cannot be read'),
    stack: reading(() => String(thrown.stack)),
    brand: reading(() => BRANDS.find((name) => thrown[Symbol.for('slotvisor.' + name)] === true)),
    fields: {},
  };
  for (const key of reading(() => Object.keys(thrown), [])) {
    if (['name', 'message', 'stack', 'cause', 'errors'].includes(key)) continue;
    reading(() => {
      packed.fields[key] = structuredClone(thrown[key]);
    });
  }
  reading(() => {
    if ('cause' in thrown && left.errors > 0) packed.cause = pack(thrown.cause, left);
  });
  reading(() => {
    if (Array.isArray(thrown.errors)) packed.errors = thrown.errors.flatMap((error) => (left.errors > 0 ? [pack(error, left)] : []));
  });
  return packed;
}

// What was written is on its way before the report is: the parent ends the thread when it has the report.
function flushed(stream) {
  for (let corks = stream.writableCorked; corks > 0; corks -= 1) stream.uncork(); // nobody is left to do it
  return stream.writableLength !== 0 && stream.writable && new Promise((resolve) => stream.write('', resolve));
}

parentPort.once('message', ({ port, flags, module, export: name, about }) => {
  const controller = new AbortController();
  const told = ({ name, message, by, reason }) => {
    const error = new Error(message);
    Object.defineProperty(error, 'name', { value: name });
    for (const brand of ['CanceledError', name]) error[Symbol.for('slotvisor.' + brand)] = true;
    controller.abort(Object.assign(error, { by, reason }));
  };
  port.on('message', told);

  const canceled = () => Atomics.load(flags, ${STOP}) === 1;
  const context = {
    ...about,
    workerData,
    signal: controller.signal,
    get canceled() {
      return canceled();
    },
    throwIfCanceled() {
      if (!canceled()) return;
      const late = controller.signal.aborted ? undefined : receiveMessageOnPort(port);
      if (late !== undefined) told(late.message);
      throw controller.signal.reason;
    },
    heartbeat() {
      if (Atomics.exchange(flags, ${HEARTBEAT}, 1) === 0) port.postMessage('beat');
    },
  };

  // A data: URL is as long as its program; where it is named, its beginning will do.
  const brief = (text) => (/^data:.{75}/.test(module) ? text.replaceAll(module, module.slice(0, 80) + '…') : text);
  const call = async () => {
    const exported = await import(module);
    // CommonJS is seen through its default; compiled from TypeScript, its own default is that default's default.
    const body = [exported[name], exported.default?.[name]].find((found) => typeof found === 'function');
    if (body === undefined) {
      const names = Object.keys(exported).join(', ') || 'nothing';
      throw new TypeError(brief(module) + ' has no function export ' + JSON.stringify(name) + '; it exports ' + names);
    }
    context.throwIfCanceled();
    return body(context);
  };
  const isOwnStop = (thrown) => {
    const { reason } = controller.signal;
    return reason !== undefined && (thrown === reason || (thrown instanceof Error && thrown.cause === reason));
  };
  const failure = (thrown) => {
    const error = pack(thrown);
    for (const field of ['message', 'stack']) if (error[field] !== undefined) error[field] = brief(error[field]);
    return { kind: 'thrown', error };
  };
  const report = async (message) => {
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    try {
      port.postMessage(message);
    } catch (error) {
      const { message: why, value, stack } = pack(error); // a getter may have thrown anything
      const text = 'what ' + JSON.stringify(name) + ' returned cannot be cloned: ' + (why ?? reading(() => String(value), typeof value));
      port.postMessage({ kind: 'thrown', error: { name: 'DataCloneError', message: text, stack } });
    }
  };
  call().then(
    (value) => report({ kind: 'value', value }),
    (error) => report(isOwnStop(error) ? { kind: 'stopped' } : failure(error)),
  );
});
//# sourceURL=slotvisor-worker
`;

export const BOOTSTRAP_URL = new URL(`data:text/javascript,${encodeURIComponent(BOOTSTRAP)}`);
