/**
 * slotvisor/subprocess: bodies that are processes, and can therefore be ended from outside.
 *
 * Owns the {@link subprocessTask} factory. It knows of slots, restarts and graces nothing: the core calls `run` and, after the grace, `kill`.
 *
 * @module
 */

import { type KillableTask, killable } from '../../index.ts';
import { Child, type SubprocessResult } from './child.ts';
import { parseTask, type SubprocessOptions } from './options.ts';

export type { SubprocessResult } from './child.ts';
export type { OutputStream, SubprocessOptions } from './options.ts';

/**
 * A task whose body is a process: a fresh one for every attempt, the leader of a process group of its own.
 *
 * Promised: the attempt ends, and the slot is free, when the *whole group* is gone, children of children included. A stop request sends
 * `killSignal` to the group; after `graceMs` the group gets SIGKILL, and the outcome is `killed`. What is left of the group when its leader
 * has ended by itself gets SIGKILL at once. Exit code 0 is success, and its value is the {@link SubprocessResult}. Another code or a signal is a failure
 * of kind `exited`, with the end of stderr in its message, or else with `EPIPE` if it refused the rest of its `stdin`. A process that ends well
 * without having read its `stdin` has not failed: the exit decides, as in a shell. An attempt fails, too, when the process cannot be spawned
 * (code `ENOENT`, `EACCES`), when its output is over `maxBuffer` (code `ERR_CHILD_PROCESS_STDIO_MAXBUFFER`), or when `onLine` throws. The restart
 * policy decides what follows. For `stallMs` process and `onLine` are one: output is a heartbeat, and so is every line that has been taken, also
 * after the process has ended. With `output` `ignore` or `inherit` there is no heartbeat.
 *
 * Not promised: an end of what has left the group (`setsid`, a daemon): nobody can tell whose it is. When this process exits, the groups that
 * are alive get SIGKILL, but not when it is itself ended by a signal that it does not handle. Windows has no process groups: refused there.
 *
 * @param file the program, looked up in the `PATH` of its own environment.
 * @param args passed as they are, no shell between.
 * @throws OptionError for a bad argument or option.
 */
export function subprocessTask(
  file: string,
  args: readonly string[] = [],
  options: SubprocessOptions = {},
): KillableTask<SubprocessResult, unknown> {
  if (process.platform === 'win32') throw new Error('slotvisor/subprocess needs process groups: not on Windows');
  const task = parseTask(file, args, options);
  return killable<SubprocessResult, unknown>((ctx) => new Child(task, ctx));
}
