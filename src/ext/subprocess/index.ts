/**
 * slotvisor/subprocess: tasks whose body is a process, so that it can be killed.
 *
 * Exports the {@link subprocessTask} factory. Slots, restarts and graces are decided by the core.
 * The core calls the task's `run`, and its `kill` after the grace.
 *
 * @module slotvisor/subprocess
 * @document README.md
 */

import { type KillableTask, killable } from '../../index.ts';
import { fromCaller } from '../../kit.ts';
import { Child, type SubprocessResult } from './child.ts';
import { parseTask, type SubprocessArguments, type SubprocessOptions } from './options.ts';

export type { SubprocessResult } from './child.ts';
export type { OutputStream, SubprocessContext, SubprocessOptions } from './options.ts';

/**
 * Makes a task that runs a program. Each attempt spawns a fresh process, which leads a process
 * group of its own.
 *
 * Promised: the attempt ends, and the slot is free, when the *whole group* has ended, descendants
 * included. A stop request sends `killSignal` to the group. After `graceMs` the group gets SIGKILL,
 * and the outcome is `killed`. The task's `kill` resolves after its `run` has settled, so code
 * around `run` goes on before the next owner begins. When the leader ends by itself, the rest of
 * its group gets SIGKILL at once. SIGKILL is repeated until the group has ended. No signal reaches
 * a process that has the leader's number after it.
 *
 * Exit code 0 is success, even if the process did not read all of its `stdin`. The value is the
 * {@link SubprocessResult}. Another code, or a signal, is a failure of kind `exited`. Its message
 * quotes the end of stderr. If stderr is empty and a write to `stdin` failed, it quotes that error
 * (`EPIPE`). The attempt also fails, and the restart policy decides, when
 * - `args` or `env` is a function that throws, or that returns something else than its value;
 * - the process cannot be spawned (code `ENOENT`, `EACCES`);
 * - its output exceeds `maxBuffer` (code `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`);
 * - `onLine` throws or rejects.
 *
 * Heartbeats, for `stallMs`: each chunk of output, and each line that `onLine` has taken, also
 * after the process has ended. With `output: 'ignore'` or `'inherit'` there are none.
 *
 * Not promised: the end of a process that has left the group (`setsid`, a daemon). When this
 * process exits, live groups get SIGKILL, except when it dies of a signal that it does not handle.
 *
 * @example
 * ```ts
 * import { Supervisor } from 'slotvisor';
 * import { subprocessTask } from 'slotvisor/subprocess';
 *
 * const backup = subprocessTask('pg_dump', ['--file', '/backup/orders.sql', 'orders'], {
 *   inheritEnv: ['PATH', 'PGHOST', 'PGPASSWORD'],
 * });
 * new Supervisor().submit({ slot: 'backup', graceMs: 10_000, run: backup });
 * ```
 *
 * @param file the program, looked up in the `PATH` of the environment that it gets. A command line
 *   is refused, unless `shell` takes it. A program with a space in its name is given as a path.
 * @param args passed as they are, without a shell. Or a function that returns them at each attempt,
 *   such as for the date of a scheduled run (`ctx.due`). Default: none.
 * @throws OptionError for an invalid argument or option.
 * @throws Error on Windows, which has no process groups.
 */
export function subprocessTask(
  file: string,
  args: SubprocessArguments = [],
  options: SubprocessOptions = {},
): KillableTask<SubprocessResult, unknown, [due?: Date | undefined]> {
  if (process.platform === 'win32')
    throw new Error('slotvisor/subprocess needs process groups, which Windows does not have');
  const task = fromCaller(subprocessTask, () => parseTask(file, args, options));
  return killable<SubprocessResult, unknown, [due?: Date | undefined]>((ctx, due) => new Child(task, ctx, due));
}
