// What is around a service: a load balancer that asks /readyz, and sends the requests of twenty
// clients on connections that stay open. It says what the clients got.

import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';

export function startClients(port: number): void {
  const agent = new Agent({ keepAlive: true });
  const answers = new Map<string, number>();
  let isReady = true;

  async function ask(path: string): Promise<string> {
    try {
      const [response] = (await once(get({ port, path, agent }), 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      return `${response.statusCode}`;
    } catch (error) {
      return error instanceof Error ? error.message : 'failed';
    }
  }

  async function balance(): Promise<void> {
    while ((await ask('/readyz')) === '200') await new Promise((resolve) => setTimeout(resolve, 20));
    isReady = false;
    console.log(`not ready; alive: ${await ask('/livez')}`);
  }

  async function client(): Promise<void> {
    while (isReady) {
      const answer = await ask('/orders');
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  }

  void balance();
  const clients = Array.from({ length: 20 }, client);
  console.log('load: on');
  void Promise.all(clients).then(() => agent.destroy());
  process.on('exit', (code) => {
    console.log(`clients: every answer was ${[...answers.keys()].join(' or ')}`);
    console.log(`exit code ${code}`);
  });
}
