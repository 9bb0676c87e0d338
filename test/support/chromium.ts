// A Chromium of its own: a child of the test process, with a profile in a folder of its own.

import { spawnSync } from 'node:child_process';
import { freePort, LocalServer, type Program } from './local-server.ts';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The Chromium of this machine. `undefined`: none is installed. */
export function chromiumHere(): string | undefined {
  const { CHROMIUM_PATH } = process.env;
  const names = CHROMIUM_PATH === undefined ? NAMES : [CHROMIUM_PATH];
  return names.find((name) => spawnSync(name, ['--version']).status === 0);
}

export class ChromiumServer extends LocalServer {
  readonly #command: string;

  private constructor(command: string, port: number) {
    super(port, { fast: 'SIGTERM', immediate: 'SIGTERM' }, {}); // its children write to the profile until it ends
    this.#command = command;
  }

  static async start(command: string): Promise<ChromiumServer> {
    const server = new ChromiumServer(command, await freePort());
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Where its DevTools protocol is spoken. */
  url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  protected override program(): Program {
    const flags = [
      '--headless',
      '--no-sandbox', // it needs rights that a container does not give; all pages are the tests' own
      `--remote-debugging-port=${this.port}`,
      `--user-data-dir=${this.dir}`,
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', // no test leaves this machine
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-background-networking',
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-breakpad',
      '--disable-component-update',
      '--disable-default-apps',
      '--disable-dev-shm-usage',
      '--disable-extensions',
      '--disable-gpu',
      '--disable-renderer-backgrounding',
      '--disable-sync',
      '--force-color-profile=srgb',
      '--metrics-recording-only',
      '--password-store=basic',
      '--use-mock-keychain',
    ];
    return { command: this.#command, args: [...flags, 'about:blank'], ready: /DevTools listening on ws:/ };
  }
}
