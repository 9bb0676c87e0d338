// A logger that keeps the first line of each level. In a service it is one of pino.

import type { Logger, LogLevel } from 'slotvisor/log';

export class FirstLines implements Logger {
  readonly #lines = new Map<LogLevel, string>();

  debug = (_: object, message: string) => this.#keep('debug', message);
  info = (_: object, message: string) => this.#keep('info', message);
  warn = (_: object, message: string) => this.#keep('warn', message);
  error = (_: object, message: string) => this.#keep('error', message);

  /** A line that is not kept need not be built. */
  isLevelEnabled(level: LogLevel): boolean {
    return !this.#lines.has(level);
  }

  #keep(level: LogLevel, message: string): void {
    this.#lines.set(level, message);
  }

  draw(): string[] {
    return (['debug', 'info', 'warn', 'error'] as const).map(
      (level) => `${level.padEnd(6)} ${this.#lines.get(level) ?? 'none'}`,
    );
  }
}
