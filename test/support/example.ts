// Runs an example as a reader would: in its own process, from the root of the repository.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The files of examples, from their folder, with forward slashes. */
export const EXAMPLES: readonly string[] = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

/** The variable that says where the server of an example is. `undefined`: it needs none. */
export function serverOf(name: string): 'DATABASE_URL' | 'REDIS_URL' | undefined {
  const text = readFileSync(join(ROOT, 'examples', name), 'utf8');
  if (text.includes('process.env.DATABASE_URL')) return 'DATABASE_URL';
  return text.includes('process.env.REDIS_URL') ? 'REDIS_URL' : undefined;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Example {
  readonly ended: Promise<Ended>;
  /** What it has written to stdout so far. */
  readonly stdout: string;
  /** Resolves when the text was printed, or when the process has ended without it. */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

// The color settings of the test runner must not reach the examples.
const { FORCE_COLOR: _, NO_COLOR: __, ...env } = process.env;

/**
 * `slower`: by how much the time of the example is stretched, so that its short waits fit a busy
 * machine.
 */
export function startExample(
  name: string,
  slower: number,
  more: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Example {
  const preloads = ['--import', 'tsx', '--import', './test/support/slow-time.mjs'];
  const child = spawn(process.execPath, [...preloads, `examples/${name}`, ...args], {
    cwd: ROOT,
    env: { ...env, SLOTVISOR_SLOWER: String(slower), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 220_000,
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
  const ended = once(child, 'close').then(([code]: (number | null)[]): Ended => {
    over = true;
    return { code: code ?? null, stdout, stderr };
  });
  return {
    ended,
    get stdout() {
      return stdout;
    },
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
