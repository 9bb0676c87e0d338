// The process that is measured, from outside, and its viewers.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { Answers, Command, Usage } from './commands.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Bundled as plain JavaScript: a loader that compiles on the fly would be measured, too. */
export function buildBackend(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'slotvisor-bench-'));
  const path = join(folder, 'backend.js');
  buildSync({
    entryPoints: [fileURLToPath(new URL('backend.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    alias: { slotvisor: `${root}src/index.ts`, 'slotvisor/dashboard': `${root}src/ext/dashboard/index.ts` },
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export class Backend {
  readonly #child: ChildProcess;
  #port = 0;

  constructor(path: string, slots: number, submissionsASecond: number) {
    this.#child = fork(path, [`${slots}`, `${submissionsASecond}`], { execArgv: ['--expose-gc'] });
  }

  async ask<C extends Command>(command: C): Promise<Answers[C]> {
    this.#child.send(command);
    const [answer] = await once(this.#child, 'message');
    if (command === 'open') this.#port = answer;
    return answer;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.ask('end');
    await ended;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** What it uses while `during` goes on. */
  async over(
    during: () => Promise<unknown>,
  ): Promise<{ readonly cpu: number; readonly from: Usage; readonly to: Usage }> {
    const from = await this.ask('usage');
    await during();
    const to = await this.ask('usage');
    return { cpu: (to.cpuMs - from.cpuMs) / (to.atMs - from.atMs), from, to };
  }

  async json<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    return (await response.json()) as T;
  }

  /** Asks on a connection of its own, and does not read yet. */
  async request(path: string): Promise<IncomingMessage> {
    const asked = get(this.url + path, { agent: new Agent() });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.on('error', () => {}); // it is cut off
    return response;
  }

  /** Reads a stream, until it is destroyed. */
  async viewer(query = ''): Promise<Viewer> {
    const response = await this.request(`api/stream${query}`);
    if (response.statusCode !== 200) throw new Error(`a stream answered ${response.statusCode}`);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    return { bytes: () => bytes, leave: () => void response.destroy() };
  }

  /** Asks for a stream, and never reads. */
  neverReader(query: string): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET /api/stream${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    socket.pause();
    return socket;
  }

  async untilConnections(count: number): Promise<number> {
    for (let tries = 0; tries < 50; tries += 1) {
      if ((await this.ask('connections')) <= count) break;
      await sleep(100);
    }
    return this.ask('connections');
  }
}

export interface Viewer {
  bytes(): number;
  leave(): void;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
