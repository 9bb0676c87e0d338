// Runs an example as its reader would: a process of its own, from the repository's root.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the first line to the end: how long a process takes to start says more about the machine. */
  readonly tookMs: number;
}

export interface Example {
  readonly ended: Promise<Ended>;
  /** Resolves when the text has been printed, or when the process has ended without. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

// What the runner of the tests thinks of colours must not reach the examples.
const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;

export function startExample(name: string): Example {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${name}`], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
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
  let startedAt = Number.NaN;
  child.stdout.once('data', () => {
    startedAt = performance.now();
  });
  let over = false;
  const ended = once(child, 'close').then(([code]: (number | null)[]): Ended => {
    over = true;
    return { code: code ?? null, stdout, stderr, tookMs: performance.now() - startedAt };
  });
  return {
    ended,
    printed: async (text) => {
      while (!stdout.includes(text) && !over) await Promise.race([once(child.stdout, 'data'), ended]);
    },
    signal: (name) => {
      child.kill(name);
    },
  };
}

export function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}
