// A page that does not read, over a real connection, on virtual time.

import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listening } from '../health/requests.ts';
import { world } from './world.ts';

/** Far more than a frame needs to be on its way. */
const QUIET_TICKS = 30;

test('a reader that never reads has no frames made for it once its connection is full, and holds up no other', async () => {
  let shown = 0;
  const meta = (): string => {
    shown += 1;
    return 'x'.repeat(4_096); // a frame of 200 rows has about a megabyte
  };
  const { board, supervisor, clock } = world({ meta });
  for (let n = 0; n < 200; n += 1)
    supervisor.submit({ slot: `slot:${n}`, meta: n, run: (ctx) => ctx.sleep(Number.POSITIVE_INFINITY) });
  const port = await listening(createServer(board.listener));
  const path = '/api/stream?limit=200';

  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await vi.waitUntil(() => board.streams.size === 1);
  // How much the buffers of a connection hold is up to the system.
  let made = 0;
  for (let quiet = 0; quiet < QUIET_TICKS; quiet = shown === made ? quiet + 1 : 0) {
    made = shown;
    await clock.advance(1_000);
    for (let turns = 0; turns < 20; turns += 1) await turn(); // the data goes on its way
  }
  expect(made).toBeGreaterThan(0);

  const [response] = (await once(get({ port, path, agent: false }), 'response')) as [IncomingMessage];
  let frames = 0;
  response.setEncoding('utf8').on('data', (text: string) => {
    frames += text.split('event: state').length - 1;
  });
  for (let read = 1; read <= 20; read += 1) {
    await vi.waitUntil(() => frames === read, { interval: 1, timeout: 60_000 });
    await clock.advance(1_000);
  }
  response.destroy();
  socket.destroy();
  await vi.waitUntil(() => board.streams.size === 0);
});
