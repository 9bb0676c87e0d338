// Starts a script as a child process and reads its output. Callers wait for lines and for the exit,
// never for a time.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface Child {
  readonly ended: Promise<Ended>;
  /** Resolves when a line begins with the text. Rejects if the process ends without such a line. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Options of Node. */
  readonly flags?: readonly string[];
  /** A process that hangs gets SIGKILL after this time. */
  readonly patienceMs?: number;
}

// The test runner sets these for itself. The children must not inherit them.
const { FORCE_COLOR: _, NO_COLOR: __, NODE_OPTIONS: ___, ...env } = process.env;

/** Processes that run at the same time. More would only compete for the CPU. */
const PLACES = 2;
let taken = 0;
const waiting: (() => void)[] = [];

async function place(): Promise<() => void> {
  if (taken < PLACES) taken += 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  return () => {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  };
}

/** `script` is a path relative to the folder `test`. */
export async function start(script: string, options: ChildOptions = {}): Promise<Child> {
  const leave = await place();
  const { args = [], flags = [], patienceMs = 220_000 } = options;
  const child = spawn(process.execPath, [...flags, '--import', 'tsx', `test/${script}`, ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let over = false;
  const ended = once(child, 'close').then((how): Ended => {
    const [code, signal] = how as [number | null, NodeJS.Signals | null];
    over = true;
    leave();
    return { code: code ?? signal, lines: stdout.split('\n').slice(0, -1), stderr };
  });
  return {
    ended,
    printed: async (text) => {
      while (!`\n${stdout}`.includes(`\n${text}`)) {
        if (over) throw new Error(`ended without printing "${text}":\n${stdout}\n${stderr}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}

/** Runs a script to its end. */
export async function run(script: string, options?: ChildOptions): Promise<Ended> {
  return (await start(script, options)).ended;
}
