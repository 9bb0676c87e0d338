// The arguments and the environment of a process, made when its attempt starts. The caller's
// functions for them are called here. What is wrong with them is thrown before a process starts.

import { CanceledError, FatalError, RetryError, type TaskContext } from '../../index.ts';
import { bare, describe, ignore } from '../../kit.ts';
import { isText, type ParsedTask, readArguments, readEnvironment, type SubprocessContext } from './options.ts';

export interface Command {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** @throws what a function threw, or an OptionError about what it returned. Both name the field. */
export function commandOf(task: ParsedTask, ctx: TaskContext<unknown>, due: Date | undefined): Command {
  const { id, slot, name, attempt, fence } = ctx;
  const own = variablesOf(ctx, due); // read first: a function may change the date
  const result = (field: 'args' | 'env', made: (ctx: SubprocessContext) => unknown): unknown =>
    called(field, () => made({ id, slot, name, attempt, fence, due: due && new Date(due) }));
  const { args, env } = task;
  const given = typeof env === 'function' ? readEnvironment('env', result('env', env), 'return') : env;
  return {
    args: typeof args === 'function' ? readArguments('args', result('args', args), 'return') : args,
    env: bare({ ...inherited(task.inheritEnv), ...own, ...given }),
  };
}

/** Errors that decide what follows the attempt are thrown on as they are. */
function called(field: string, call: () => unknown): unknown {
  try {
    const result = call();
    ignore(result); // a promise is refused, and its rejection must not end the process
    return result;
  } catch (error) {
    if ([FatalError, RetryError, CanceledError].some((decisive) => error instanceof decisive)) throw error;
    throw new Error(`${field} threw: ${describe(error)}`, bare({ cause: error }));
  }
}

/**
 * What the attempt says about itself. A variable that it does not set is `undefined`, so that none
 * of another attempt is inherited: this process may itself be such a process.
 */
function variablesOf({ slot, fence }: TaskContext<unknown>, due: Date | undefined): NodeJS.ProcessEnv {
  const isLeased = fence !== 0n;
  return {
    SLOTVISOR_DUE: due?.toISOString(),
    SLOTVISOR_FENCE: isLeased ? String(fence) : undefined,
    SLOTVISOR_SLOT: isLeased && isText(slot) ? slot : undefined,
  };
}

/**
 * Every variable in it is its own: Node would pass inherited ones on, and `process.env` inherits
 * from `Object.prototype`.
 */
function inherited(inheritEnv: ParsedTask['inheritEnv']): NodeJS.ProcessEnv {
  // Node passes this variable on unless there is one, so that the coverage of child processes is
  // collected.
  const variables = bare<NodeJS.ProcessEnv>({ NODE_V8_COVERAGE: undefined, ...process.env });
  if (inheritEnv === true) return variables;
  const names = ['NODE_V8_COVERAGE', ...(inheritEnv || [])];
  return bare(Object.fromEntries(names.map((name) => [name, variables[name]])));
}
