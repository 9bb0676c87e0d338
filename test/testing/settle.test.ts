import { expect, test } from 'vitest';
import { settle } from '../../src/testing/settle.ts';

test('it resolves once no code waits for another turn of the event loop', async () => {
  let turns = 0;
  const again = () => {
    turns += 1;
    if (turns < 50) setImmediate(again);
  };
  setImmediate(again);
  await settle();
  expect(turns).toBe(50);
});

test('it resolves also where each turn asks for another one', async () => {
  let goesOn = true;
  const again = () => {
    if (goesOn) setImmediate(again);
  };
  again();
  let turns = 0;
  await settle(async () => {
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  });
  goesOn = false;
  expect(turns).toBe(10_000);
});

test('it waits for no timer', async () => {
  let fired = false;
  const timer = setTimeout(() => {
    fired = true;
  }, 60_000);
  await settle();
  clearTimeout(timer);
  expect(fired).toBe(false);
});
