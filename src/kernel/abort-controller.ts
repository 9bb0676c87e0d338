// AbortControllers for the signals that users get.

import { setMaxListeners } from 'node:events';

/**
 * Node warns of a leak at the 11th listener of a signal. But one body may wait for many things at
 * once under its signal. Its listeners go with the signal, when the attempt has ended.
 */
export function abortController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
