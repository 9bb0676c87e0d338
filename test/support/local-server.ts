// A real server as a child of the test process, on loopback, with its files in a folder of its own.
// It never outlives its test process, however that one ends.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface ServerOptions {
  /** More arguments of the server. */
  readonly flags?: readonly string[];
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** `fast`: it says goodbye and writes what it has to write. `immediate`: as in a crash. */
export type HowToStop = 'fast' | 'immediate';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** What it prints when it can be connected to. Without it, the program is awaited to its end. */
  readonly ready?: RegExp;
}

/** The user that runs a server: this process's own, unless it is named. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

export abstract class LocalServer {
  /** Stays the same when the server is started again. */
  readonly port: number;
  /** Holds all that the server writes. Only the user of the server can read it. */
  readonly dir: string;
  /** Keeps other users of this machine out. */
  protected readonly password: string;
  readonly #options: ServerOptions;
  readonly #user: ServerUser;
  readonly #signals: Readonly<Record<HowToStop, NodeJS.Signals>>;
  readonly #guard: ReturnType<typeof guard>;
  readonly #removed: Promise<unknown>;
  #running: ChildProcessByStdio<null, Readable, Readable> | undefined;

  protected constructor(
    port: number,
    signals: Readonly<Record<HowToStop, NodeJS.Signals>>,
    options: ServerOptions,
    user: ServerUser = {},
    password = randomBytes(12).toString('hex'),
  ) {
    this.port = port;
    this.password = password;
    this.dir = mkdtempSync(join(tmpdir(), 'slotvisor-server-'));
    if (user.uid !== undefined && user.gid !== undefined) chownSync(this.dir, user.uid, user.gid);
    this.#options = options;
    this.#user = user;
    this.#signals = signals;
    this.#guard = guard(this.dir, signals.immediate);
    this.#removed = once(this.#guard, 'exit');
  }

  protected abstract program(): Program;

  /** Starts the server again after `stop`, with the same port and data. */
  async start(): Promise<void> {
    const { command, args, ready } = this.program();
    await this.run({ command, args: [...args, ...(this.#options.flags ?? [])], ...(ready && { ready }) });
  }

  async stop(how: HowToStop): Promise<void> {
    const child = this.#running;
    if (child === undefined) return;
    const ended = once(child, 'close');
    child.kill(this.#signals[how]);
    await ended;
  }

  /** Ends the server, and removes its folder. */
  async remove(): Promise<void> {
    this.#guard.ref();
    this.#guard.stdin.end();
    await this.#removed;
  }

  /** Runs a program until it is ready, or has ended well. Rejects with all that it printed. */
  protected async run({ command, args, ready }: Program): Promise<void> {
    const child = spawn(command, args, {
      ...this.#user,
      cwd: this.dir,
      detached: true, // Ctrl-C in a terminal is for the test process, which stops its servers itself
      env: { ...process.env, LC_ALL: 'C', ...this.#options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#guard.stdin.write(`${child.pid ?? ''}\n`);
    this.#running = child;
    await new Promise<void>((resolve, reject) => {
      let printed = '';
      const read = (chunk: Buffer): void => {
        printed = `${printed}${chunk}`.slice(-10_000);
        if (ready?.test(printed)) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.#running = undefined;
        this.#guard.stdin.write('\n');
        if (code === 0 && ready === undefined) resolve();
        reject(new Error(`${command} ended with ${code ?? signal}. It printed:\n${printed}`));
      });
    });
  }
}

/**
 * A shell that kills the server and removes the folder as soon as its input ends: when `remove()`
 * ends it, and when this process ends, by SIGKILL too. It reads the process id of the server, or an
 * empty line when there is none. It continues a stopped (SIGSTOP) server, which acts on no signal.
 */
function guard(dir: string, signal: NodeJS.Signals) {
  const script = `
    while read -r line; do pid=$line; done
    if [ -n "$pid" ] && kill -s "$1" "$pid"; then
      kill -s CONT "$pid"
      tries=0
      while kill -0 "$pid" && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
    fi
    rm -rf "$2"`;
  const child = spawn('sh', ['-c', script, 'guard', signal.replace('SIG', ''), dir], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  child.stdin.on('error', () => {}); // the guard was killed
  const end = (): void => void child.stdin.end();
  process.once('disconnect', end); // a worker of the test runner can outlive the runner
  child.once('exit', () => process.off('disconnect', end));
  return child;
}

/**
 * A free port of loopback, below the ports that systems give to outgoing connections: none of those
 * takes it while the server is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    const probe = createServer();
    const listening = once(probe, 'listening').then(
      () => true,
      () => false,
    );
    probe.listen(port, '127.0.0.1');
    if (!(await listening)) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
