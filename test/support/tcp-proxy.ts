// A proxy on loopback between a client and a server, which can break their network.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #server: Server;
  #target: URL;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #isStalled = false;

  /** @param url the server, as in `postgres://user@127.0.0.1:5432/db`. */
  static async start(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(url);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(url: string) {
    this.#target = new URL(url);
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The same URL by way of the proxy. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = `${this.port}`;
    return url.href;
  }

  /** Later connections go to another server. Those that there are break. */
  moveTo(url: string): void {
    this.#target = new URL(url);
    for (const socket of this.#sockets) socket.destroy();
  }

  /** While cut, connections break at once: those that there are, and each new one. */
  cut(on: boolean): void {
    this.#isCut = on;
    if (on) for (const socket of this.#sockets) socket.destroy();
  }

  /** While stalled, connections stay open and can be made, but nothing passes. It passes later. */
  stall(on: boolean): void {
    this.#isStalled = on;
    for (const socket of this.#sockets) this.#flow(socket);
  }

  async close(): Promise<void> {
    this.cut(true);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(Number(this.#target.port), this.#target.hostname);
    this.#join(client, server);
    this.#join(server, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay();
    from.on('data', (chunk) => to.write(chunk));
    from.on('end', () => to.end());
    from.on('error', () => {}); // 'close' follows
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    this.#flow(from);
  }

  #flow(socket: Socket): void {
    if (this.#isStalled) socket.pause();
    else socket.resume();
  }
}
