// The life of the supervisor in the application: what begins at the end of the boot, and how all of
// it ends.

import { Logger } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { ShutdownReport, Supervisor } from '../../index.ts';
import { ignored, printable, specAt } from '../../kit.ts';
import { findMethods } from './methods.ts';

export class Lifecycle {
  readonly #supervisor: Supervisor;
  readonly #discovery: DiscoveryService;
  readonly #scanner: MetadataScanner;
  /** Also logged if `deadFraction` began the shutdown, while the application goes on. */
  readonly #logged: Promise<void>;
  #isEnding = false;

  constructor(supervisor: Supervisor, discovery: DiscoveryService, scanner: MetadataScanner) {
    this.#supervisor = supervisor;
    this.#discovery = discovery;
    this.#scanner = scanner;
    this.#logged = ignored(supervisor.closed.then(log));
  }

  /** All marked methods begin, or none: their bodies are called on a later turn. */
  async start(): Promise<void> {
    // Closed during its boot, an application of HTTP goes on with that. An error here would be the
    // end of the process, before the other hooks of the end have returned.
    if (this.#isEnding) return;
    try {
      const found = findMethods(this.#discovery, this.#scanner);
      for (const watches of [true, false])
        for (const { mark, method } of found)
          if (mark.watches === watches) specAt(method.label, () => mark.begin(this.#supervisor, method));
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#supervisor.shutdown();
    await this.#logged;
  }
}

function log(report: ShutdownReport): void {
  const text = textOf(report);
  if (text !== '') Logger.warn(`The supervisor was shut down${text}`, 'Slotvisor');
}

/** Empty for a report that is clean. */
function textOf({ dead, killed, abandoned }: ShutdownReport): string {
  return [
    dead && `, because ${dead.slots.length} of ${dead.of} vital slots are dead: ${names(dead.slots)}`,
    killed.length > 0 && `; it had to kill ${names(killed.map(({ name }) => name))}`,
    abandoned.length > 0 && `; not ended, and maybe alive: ${names(abandoned.map(({ name }) => name))}`,
  ]
    .filter((part) => part)
    .join('');
}

const names = (given: readonly string[]): string => printable(given.join(', '));
