// One process and its group, for one attempt: spawns it, writes its stdin, reads its output, passes
// the stop request on, kills it, and waits for its end. The attempt ends when the whole group has
// ended.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type CanceledError, ExitError, type KillableBody, type TaskContext } from '../../index.ts';
import { bare, briefPath } from '../../kit.ts';
import { commandOf } from './command.ts';
import { ProcessGroup } from './group.ts';
import type { OutputStream, ParsedTask } from './options.ts';
import { Collector, LineSplitter, Output, type Sink, settledWithin } from './output.ts';

/** The value of a process that exited with code 0. */
export interface SubprocessResult {
  /** What it wrote to stdout, as UTF-8. Empty unless `output` is `collect`. */
  readonly stdout: string;
  /** What it wrote to stderr, as UTF-8. Empty unless `output` is `collect`. */
  readonly stderr: string;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Bytes of the end of stderr that a failure quotes. */
const STDERR_TAIL = 800;
/** How long a call of `onLine` that is pending at a kill is waited for. */
const LISTENER_PATIENCE_MS = 100;

export class Child implements KillableBody<SubprocessResult> {
  /** Settles when the group has ended and its output has been taken. */
  readonly ended: Promise<SubprocessResult>;
  readonly #task: ParsedTask;
  readonly #ctx: TaskContext<unknown>;
  /** Its environment has a `PATH`. */
  readonly #hasPath: boolean;
  readonly #process: ChildProcess;
  readonly #group: ProcessGroup | undefined;
  /**
   * Settles with the leader's exit when the whole group has ended. Rejects if it was not spawned.
   */
  readonly #exit: Promise<Exit>;
  /** Settles when the leader has exited and its pipes are closed. */
  readonly #closed: Promise<void>;
  readonly #outputs: Output[] = [];
  readonly #collected: Partial<Record<OutputStream, Collector>> = bare({});
  /** Resolves when a kill waits no longer for a call of `onLine`. */
  readonly #listenersGivenUp: Promise<void>;
  #giveListenersUp = (): void => {};
  #stderrTail: Buffer = Buffer.alloc(0);
  /** The error that ended the reading: too much output, or thrown by `onLine`. */
  #outputError: { readonly error: unknown } | undefined;
  #stdinError: Error | undefined;
  #stopReason: CanceledError | undefined;
  #killed = false;

  /**
   * @throws the error of Node if it refuses the spawn at once, or what is wrong with a function of
   *   the caller. There is no process then.
   */
  constructor(task: ParsedTask, ctx: TaskContext<unknown>, due: Date | undefined) {
    this.#task = task;
    this.#ctx = ctx;
    const { args, env } = commandOf(task, ctx, due);
    this.#hasPath = env.PATH !== undefined;
    const out = task.output === 'ignore' || task.output === 'inherit' ? task.output : 'pipe';
    const { cwd, shell, stdin } = task;
    const options: SpawnOptions = {
      cwd,
      shell,
      env,
      detached: true, // makes it the leader of a new process group
      stdio: [stdin === undefined ? 'ignore' : 'pipe', out, out],
    };
    this.#process = spawn(task.file, [...args], bare(options));
    const { pid } = this.#process;
    this.#group = pid === undefined ? undefined : new ProcessGroup(pid);
    this.#closed = new Promise((resolve) => this.#process.once('close', () => resolve()));
    this.#listenersGivenUp = new Promise((resolve) => {
      this.#giveListenersUp = resolve;
    });
    this.#exit = this.#waitForGroup();
    this.#read('stdout');
    this.#read('stderr');
    this.#writeStdin();
    this.ended = this.#result();
  }

  /** Passes a stop request on to the whole group. */
  stop(reason: CanceledError): void {
    this.#stopReason = reason;
    this.#signal(this.#task.killSignal);
  }

  /**
   * Sends SIGKILL to the group. Resolves when `ended` has settled: the group has ended, and the
   * pipes to it are closed. `onLine` is not called again. A call that is pending is waited for, but
   * only for a short time.
   */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#signal('SIGKILL');
    await this.#exit.catch(() => {}); // it rejects if no process was spawned
    for (const output of this.#outputs) output.cut();
    await settledWithin(LISTENER_PATIENCE_MS, this.ended);
    this.#giveListenersUp();
    await this.ended.catch(() => {});
  }

  #signal(signal: NodeJS.Signals): void {
    // The leader may have left its own group, which is then empty. It can be signaled by its own
    // id: after its exit, `kill` of Node does nothing.
    if (this.#group?.send(signal) === false) this.#process.kill(signal);
  }

  async #waitForGroup(): Promise<Exit> {
    const exit = await new Promise<Exit>((resolve, reject) => {
      this.#process.on('error', (error) => {
        if (this.#group === undefined) reject(this.#spawnError(error));
      });
      this.#process.once('exit', (code, signal) => {
        this.#group?.leaderCollected();
        resolve({ code, signal });
      });
    });
    // The leader exited by itself: the rest of its group is killed at once. After a stop request,
    // the group may use its grace.
    if (this.#stopReason === undefined) this.#group?.send('SIGKILL');
    await this.#group?.untilGone();
    return exit;
  }

  async #result(): Promise<SubprocessResult> {
    const exit = await this.#exit;
    // Both streams are drained at the same time, and each drain is bounded. So the heartbeats of
    // one stream are bounded too, while the listener of the other stream hangs.
    await Promise.race([Promise.all(this.#outputs.map((output) => output.drain())), this.#listenersGivenUp]);
    await this.#closed;
    if (this.#outputError !== undefined) throw this.#outputError.error;
    // With exit code 0 an error of stdin is ignored: the process has read what it needed. Whether
    // the write of the rest fails depends on timing.
    if (exit.code !== 0) throw this.#isOwnStop(exit.signal) ? this.#stopReason : this.#exitError(exit);
    return { stdout: this.#collected.stdout?.text() ?? '', stderr: this.#collected.stderr?.text() ?? '' };
  }

  #isOwnStop(signal: string | null): boolean {
    return this.#stopReason !== undefined && (this.#killed || signal === this.#task.killSignal);
  }

  #exitError({ code, signal }: Exit): ExitError {
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const why = this.#stderrTail.toString('utf8').trim() || (this.#stdinError?.message ?? '');
    const message = `${briefPath(this.#task.file)} ${how}${why && `: ${why}`}`;
    const cause = this.#stdinError && { cause: this.#stdinError };
    return new ExitError(message, bare({ exitCode: code, signal, ...cause }));
  }

  #spawnError(error: NodeJS.ErrnoException): Error {
    const { file } = this.#task;
    const { message, stack } = error;
    error.message = message.replace(file, () => briefPath(file));
    if (error.code === 'ENOENT') error.message += this.#whatIsMissing();
    error.stack = String(stack).replace(message, () => error.message); // it begins with the message
    return error;
  }

  #whatIsMissing(): string {
    const { cwd, file } = this.#task;
    if (cwd !== undefined && !existsSync(cwd))
      return `: the working directory ${briefPath(String(cwd))} does not exist`;
    if (file.includes('/') || this.#hasPath) return '';
    return ': its environment has no PATH (see inheritEnv)';
  }

  #read(name: OutputStream): void {
    const stream = this.#process[name];
    if (!stream) return; // the output is not piped, or no process was spawned
    const output = new Output(stream, this.#sink(name), (chunk) => {
      // Also after the process has ended: the attempt lasts until its output has been taken.
      this.#ctx.heartbeat();
      if (name === 'stderr') this.#stderrTail = lastBytes(Buffer.concat([this.#stderrTail, lastBytes(chunk)]));
    });
    output.done.catch((error) => this.#stopReading(error));
    this.#outputs.push(output);
  }

  #sink(name: OutputStream): Sink {
    const { maxBuffer, onLine } = this.#task;
    if (onLine !== undefined)
      return new LineSplitter(name, maxBuffer, async (line) => {
        if (this.#killed || this.#outputError !== undefined) return;
        await onLine(line, name, this.#ctx);
        this.#ctx.heartbeat();
      });
    const collector = new Collector(name, maxBuffer);
    this.#collected[name] = collector;
    return collector;
  }

  #writeStdin(): void {
    const { stdin } = this.#process;
    if (!stdin) return;
    stdin.on('error', (error) => {
      error.message = `it did not take all of its stdin: ${error.message}`;
      this.#stdinError ??= error;
    });
    stdin.end(this.#task.stdin);
  }

  /** The output can no longer be taken, so the process is killed too. */
  #stopReading(error: unknown): void {
    this.#outputError ??= { error };
    for (const output of this.#outputs) output.cut();
    this.#signal('SIGKILL');
  }
}

const lastBytes = (bytes: Buffer): Buffer => bytes.subarray(-STDERR_TAIL);
