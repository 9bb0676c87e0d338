// A real server, and a supervisor on virtual time that ends by a signal of the process.

import { Agent, createServer } from 'node:http';
import { stopOnSignals } from 'slotvisor';
import { health } from 'slotvisor/health';
import { expect, it, onTestFinished } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';
import { ask, listening } from './requests.ts';

it('at a signal readiness is red first, then the delay passes, then tasks are stopped; live is green throughout', async () => {
  const { supervisor, clock } = setup();
  const probe = health(supervisor);
  onTestFinished(() => probe.close());
  const body = gateBody();
  const submission = supervisor.submit({ slot: 'consumer', vital: true, run: body.body });
  onTestFinished(stopOnSignals(supervisor, { signals: ['SIGUSR2'], before: probe.notReady, delayMs: 5_000 }));
  const port = await listening(createServer((req, res) => void probe.listener(req, res)));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const seen = async () => {
    const answers = [await ask(port, '/livez', 'GET', agent), await ask(port, '/readyz', 'GET', agent)];
    return [...answers.map(({ status }) => status), supervisor.phase, submission.status];
  };

  await clock.settle();
  expect(await seen()).toEqual([200, 200, 'open', 'running']);
  process.emit('SIGUSR2');
  expect(await seen(), 'at once').toEqual([200, 503, 'open', 'running']);
  await clock.advance(4_999);
  expect(await seen(), 'until the delay is over').toEqual([200, 503, 'open', 'running']);
  await clock.advance(1);
  expect(await seen(), 'while a body has not ended').toEqual([200, 503, 'closing', 'stopping']);
  await clock.advance(20_000);
  body.open('ended');
  await clock.settle();
  expect(await seen(), 'afterwards').toEqual([200, 503, 'closed', 'ended']);
});
