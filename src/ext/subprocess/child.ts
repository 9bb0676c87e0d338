// One process and its group, of one attempt: spawned, fed, read, told to stop, killed, and waited for. Only the end of the whole group ends it.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type CanceledError, ExitError, type KillableBody, type TaskContext } from '../../index.ts';
import { ProcessGroup } from './group.ts';
import { environmentOf, type OutputStream, type ParsedTask } from './options.ts';
import { Collector, LineSplitter, Output, type Sink } from './output.ts';

/** What a process that ended well has said: empty texts unless the output was collected. */
export interface SubprocessResult {
  readonly stdout: string;
  readonly stderr: string;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Bytes of the end of stderr that a failure quotes. */
const TAIL = 800;

export class Child implements KillableBody<SubprocessResult> {
  /** Settles when the group is gone and its output is taken. */
  readonly ended: Promise<SubprocessResult>;
  readonly #task: ParsedTask;
  readonly #ctx: TaskContext<unknown>;
  readonly #process: ChildProcess;
  readonly #group: ProcessGroup | undefined;
  readonly #gone: Promise<Exit>;
  /** The pipes are closed, too. */
  readonly #closed: Promise<void>;
  readonly #outputs: Output[] = [];
  readonly #collected: Partial<Record<OutputStream, Collector>> = {};
  #tail: Buffer = Buffer.alloc(0);
  #fault: { readonly error: unknown } | undefined;
  #unread: Error | undefined;
  #reason: CanceledError | undefined;
  #left = false;
  #killed = false;

  /** @throws what the system refuses at once. */
  constructor(task: ParsedTask, ctx: TaskContext<unknown>) {
    this.#task = task;
    this.#ctx = ctx;
    const out = task.output === 'ignore' || task.output === 'inherit' ? task.output : 'pipe';
    const { cwd, shell, stdin } = task;
    this.#process = spawn(task.file, [...task.args], {
      cwd,
      shell,
      env: environmentOf(task),
      detached: true, // the leader of a new group
      stdio: [stdin === undefined ? 'ignore' : 'pipe', out, out],
    });
    const { pid } = this.#process;
    this.#group = pid === undefined ? undefined : new ProcessGroup(pid);
    this.#closed = new Promise((resolve) => this.#process.once('close', () => resolve()));
    this.#gone = this.#untilGone();
    this.#read('stdout');
    this.#read('stderr');
    this.#feed();
    this.ended = this.#follow();
  }

  /** Passes a stop request on to the whole group. */
  stop(reason: CanceledError): void {
    this.#reason = reason;
    this.#signal(this.#task.killSignal);
  }

  /** Resolves when the group is gone. No line is handed over from now on. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#signal('SIGKILL');
    await this.#gone.catch(() => {}); // there never was a process
    if (this.#group === undefined) return;
    for (const output of this.#outputs) output.cut();
    this.#process.stdin?.destroy();
    await this.#closed;
  }

  #signal(signal: NodeJS.Signals): void {
    // A leader that has left its own group is still this child, until it has been collected.
    if (this.#group?.send(signal) === false && !this.#left) this.#process.kill(signal);
  }

  /** The leader's exit, once the last of the group is gone. */
  async #untilGone(): Promise<Exit> {
    const exit = await new Promise<Exit>((resolve, reject) => {
      this.#process.on('error', (error) => {
        if (this.#group === undefined) reject(this.#notSpawned(error));
      });
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#left = true;
    // Who was told to stop has its grace; who is left behind has nobody to wait for.
    if (this.#reason === undefined) this.#group?.send('SIGKILL');
    await this.#group?.untilGone();
    return exit;
  }

  async #follow(): Promise<SubprocessResult> {
    const exit = await this.#gone.finally(() => this.#process.stdin?.destroy());
    // Both at once: each is bounded, and so are the heartbeats that one gives while the other one's listener hangs.
    await Promise.all(this.#outputs.map((output) => output.drain()));
    await this.#closed;
    if (this.#fault !== undefined) throw this.#fault.error;
    // An exit code of 0 says that it has read all that it wanted. Whether the rest was refused or lost is a matter of chance.
    if (exit.code !== 0) throw this.#isOwnStop(exit.signal) ? this.#reason : this.#exited(exit);
    return { stdout: this.#collected.stdout?.text() ?? '', stderr: this.#collected.stderr?.text() ?? '' };
  }

  #isOwnStop(signal: string | null): boolean {
    return this.#reason !== undefined && (this.#killed || signal === this.#task.killSignal);
  }

  #exited({ code, signal }: Exit): ExitError {
    const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    const why = this.#tail.toString('utf8').trim() || (this.#unread?.message ?? '');
    const message = `${this.#task.file} ${how}${why && `: ${why}`}`;
    return new ExitError(message, { exitCode: code, signal, ...(this.#unread && { cause: this.#unread }) });
  }

  #notSpawned(error: NodeJS.ErrnoException): Error {
    const { cwd, file } = this.#task;
    if (error.code !== 'ENOENT') return error;
    if (cwd !== undefined && !existsSync(cwd)) error.message += `: the working directory ${cwd} does not exist`;
    else if (!file.includes('/') && environmentOf(this.#task).PATH === undefined)
      error.message += ': its environment has no PATH (see inheritEnv)';
    return error;
  }

  #read(name: OutputStream): void {
    const stream = this.#process[name];
    if (!stream) return; // not asked for, or there is no process
    const output = new Output(stream, this.#sink(name), (chunk) => {
      this.#ctx.heartbeat(); // also after the end: the attempt is as alive as who takes what is left
      if (name === 'stderr') this.#tail = Buffer.concat([this.#tail, chunk.subarray(-TAIL)]).subarray(-TAIL);
    });
    output.done.catch((error) => this.#fail(error));
    this.#outputs.push(output);
  }

  #sink(name: OutputStream): Sink {
    const { maxBuffer, onLine } = this.#task;
    if (onLine !== undefined)
      return new LineSplitter(name, maxBuffer, async (line) => {
        if (this.#killed || this.#fault !== undefined) return;
        await onLine(line, name, this.#ctx);
        this.#ctx.heartbeat();
      });
    const collector = new Collector(name, maxBuffer);
    this.#collected[name] = collector;
    return collector;
  }

  #feed(): void {
    const { stdin } = this.#process;
    if (!stdin) return;
    stdin.on('error', (error) => {
      error.message = `it did not take all of its stdin: ${error.message}`;
      this.#unread ??= error;
    });
    stdin.end(this.#task.stdin);
  }

  /** What this side cannot go on with: nobody takes the output any more. */
  #fail(error: unknown): void {
    this.#fault ??= { error };
    for (const output of this.#outputs) output.cut();
    this.#signal('SIGKILL');
  }
}
