import { expect, it, onTestFinished } from 'vitest';
import { Troubles } from '../../../src/ext/dashboard/troubles.ts';

async function warned(act: (troubles: Troubles) => void): Promise<(Error & { code?: string })[]> {
  const warnings: Error[] = [];
  const listener = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listener);
  onTestFinished(() => void process.off('warning', listener));
  act(new Troubles());
  await new Promise((resolve) => setImmediate(resolve));
  return warnings;
}

it('a trouble is a warning of the process, once for each spot', async () => {
  const warnings = await warned((troubles) => {
    for (let i = 0; i < 3; i += 1) troubles.report('authorize', new Error(`no session ${i}`));
    troubles.report('request', 'broken');
  });
  expect(warnings.map(({ name, code, message }) => [name, code, message])).toEqual([
    [
      'SlotvisorWarning',
      'SLOTVISOR_DASHBOARD',
      'slotvisor/dashboard: the option authorize failed: no session 0. This is warned of once.',
    ],
    [
      'SlotvisorWarning',
      'SLOTVISOR_DASHBOARD',
      'slotvisor/dashboard: a request failed: broken. This is warned of once.',
    ],
  ]);
});

it('what was thrown is cut, and on one line', async () => {
  const [warning] = await warned((troubles) =>
    troubles.report('schedules', new Error(`a\n\u202e${'x'.repeat(10_000)}`)),
  );
  expect(warning?.message.length).toBeLessThan(450);
  expect(warning?.message).toContain('a\\u000a\\u202ex');
});
