// Runs an example as a reader would: in its own process, from the root of the repository.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The time in ms from the first output to the end. The start-up time depends on the machine. */
  readonly tookMs: number;
}

export interface Example {
  readonly ended: Promise<Ended>;
  /** Resolves when the text was printed, or when the process has ended without it. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

// The color settings of the test runner must not reach the examples.
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
